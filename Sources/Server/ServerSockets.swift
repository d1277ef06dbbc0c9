import Glibc

/// Every socket of a server, opened together: UDP and TCP of a listener share a port.
struct ServerSockets {
    let datagrams: DatagramServer
    let streams: StreamServer
    /// Where each listener stands.
    let addresses: [AddressAndPort]

    /// How often another port is tried where the system chose one over UDP that TCP cannot have.
    private static let attempts = 16

    init(
        _ settings: DatagramSettings,
        _ limits: StreamLimits
    ) async throws(SocketError) {
        var attempt = 1
        while true {
            do throws(SocketError) {
                self = try await Self.open(settings, limits)
                return
            } catch {
                guard attempt < Self.attempts, error.isPortTaken,
                    settings.listeners.contains(where: { $0.port == 0 }),
                    !settings.listeners.contains(where: { $0 == error.address })
                else { throw error }
                attempt += 1
            }
        }
    }

    private init(datagrams: DatagramServer, streams: StreamServer) {
        self.datagrams = datagrams
        self.streams = streams
        addresses = datagrams.addresses
    }

    private static func open(
        _ settings: DatagramSettings,
        _ limits: StreamLimits
    ) async throws(SocketError) -> ServerSockets {
        let datagrams = try DatagramServer(settings)
        let streams = try StreamServer(
            StreamSettings(
                limits: limits,
                threads: settings.workers,
                snapshots: settings.snapshots,
                cache: settings.cache,
                seed: settings.seed,
                forwarder: datagrams
            )
        )
        do throws(SocketError) {
            let late = Set(datagrams.lateListeners.map(\.number))
            for (number, address) in datagrams.addresses.enumerated() where !late.contains(number) {
                try streams.listen(at: address, listener: number)
            }
        } catch {
            await streams.stopTakingQueries()
            throw error
        }
        return ServerSockets(datagrams: datagrams, streams: streams)
    }
}

extension SocketError {
    /// Another socket has the address.
    fileprivate var isPortTaken: Bool { code == EADDRINUSE }
}
