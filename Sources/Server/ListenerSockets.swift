package import DNSWire
import Glibc
package import Sockets

/// The bound sockets of all listeners; UDP and TCP of a listener share a port.
///
/// Datagrams and connections queue in the sockets until a server reads them.
package struct ListenerSockets: Sendable {
    /// The address of each listener, with the port that the system chose if the wanted port is 0.
    package let addresses: [AddressAndPort]
    /// UDP sockets by worker, then by listener.
    let datagrams: [[ListenerSocket]]
    /// TCP sockets of the listeners whose address this machine has.
    let streams: [StreamListener]

    /// Attempts to find a port that is free over both TCP and UDP, if the wanted port is 0.
    private static let attempts = 16
    private static let mostWorkers = 256

    /// Binds a UDP socket for each listener and worker, and a TCP socket for each listener.
    ///
    /// The index of an address in `wanted` is the listener's number. With `mayShare`, the ports of
    /// a draining server of this user are shared. Set it only if the sockets are read at once.
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

    /// The TCP socket, or the error if the machine does not have the address yet.
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
    /// True if another socket uses the address.
    var isPortTaken: Bool { code == EADDRINUSE }
}
