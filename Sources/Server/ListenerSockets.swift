package import DNSWire
import Glibc
package import Sockets

/// The bound sockets of all listeners: UDP and TCP of a listener share a port.
///
/// What arrives waits in them until a server answers it.
package struct ListenerSockets: Sendable {
    /// Where each listener stands, the ports that the system chose filled in.
    package let addresses: [AddressAndPort]
    /// By worker, then by listener.
    let datagrams: [[ListenerSocket]]
    /// Of the listeners whose address this machine has.
    let streams: [StreamListener]

    /// How often another port is tried where the system chose one over TCP that UDP cannot have.
    private static let attempts = 16
    private static let mostWorkers = 256

    /// Binds a socket for each listener and datagram worker; a listener's place here is its number.
    ///
    /// With `mayShare`, which is for who reads them at once, ports of a server of this user that drains are shared.
    package init(
        _ wanted: [AddressAndPort],
        workers: Int,
        mayShare: Bool = false
    ) throws(SocketError) {
        var attempt = 1
        while true {
            do throws(SocketError) {
                try self.init(opening: wanted, min(max(workers, 1), Self.mostWorkers), mayShare)
                return
            } catch {
                guard attempt < Self.attempts, error.isPortTaken,
                    wanted.contains(where: { $0.port == 0 }),
                    !wanted.contains(where: { $0 == error.address })
                else { throw error }
                attempt += 1
            }
        }
    }

    private init(
        opening wanted: [AddressAndPort],
        _ workers: Int,
        _ mayShare: Bool
    ) throws(SocketError) {
        var streams: [StreamListener] = []
        var datagrams = [[ListenerSocket]](repeating: [], count: workers)
        for (number, address) in wanted.enumerated() {
            let (stream, lateness) = try Self.stream(address, number, mayShare)
            if let stream { streams.append(stream) }
            for worker in 0..<workers {
                datagrams[worker].append(
                    try ListenerSocket(
                        stream?.address ?? address,
                        sharing: worker > 0 || stream?.isSuccessor == true,
                        lateness: lateness
                    )
                )
            }
        }
        if streams.isEmpty, let fault = datagrams[0].first?.lateness { throw fault }
        self.streams = streams
        self.datagrams = datagrams
        addresses = datagrams[0].map(\.address)
    }

    /// The listening socket, or why the machine does not have its address, which may pass.
    private static func stream(
        _ address: AddressAndPort,
        _ number: Int,
        _ mayShare: Bool
    ) throws(SocketError) -> (StreamListener?, lateness: SocketError?) {
        do throws(SocketError) {
            return (try StreamListener(address, number: number, mayShare: mayShare), nil)
        } catch {
            guard error.mayPass, address.port > 0 else { throw error }
            return (nil, error)
        }
    }
}

extension SocketError {
    /// Another socket has the address.
    var isPortTaken: Bool { code == EADDRINUSE }
}
