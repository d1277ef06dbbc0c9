import DNSWire
import Logging
import Sockets

/// A listener whose address the machine did not have at the start.
struct LateListener: Sendable {
    let number: Int
    /// One socket per worker.
    ///
    /// Each waits for its address.
    let sockets: [ListenerSocket]

    var address: AddressAndPort { sockets[0].address }
    var isWaiting: Bool { sockets.contains(where: \.isWaiting) }

    /// Binds the sockets, UDP first; throws if the address is still missing.
    fileprivate func listen(_ streams: StreamServer) throws(SocketError) {
        for socket in sockets {
            if let fault = socket.bindLate() { throw fault }
        }
        streams.listen(on: try StreamListener(address, number: number))
    }
}

/// Retries listening on addresses that the machine did not have at the start, and logs the state.
struct LateListeners: Sendable {
    let listeners: [LateListener]
    let streams: StreamServer
    let logger: Logger

    private static let period = Duration.seconds(1)

    /// Retries every second; returns once all listeners are bound, or the task is cancelled.
    func run() async {
        // Each listener with the error code that was last logged, so that a repeated error is
        // logged once.
        var waiting = listeners.map { listener in
            (listener: listener, code: tell(listener, listener.sockets[0].lateness))
        }
        while !waiting.isEmpty {
            do { try await Task.sleep(for: Self.period) } catch { return }
            for index in waiting.indices.reversed() {
                do throws(SocketError) {
                    try waiting[index].listener.listen(streams)
                    let address = waiting[index].listener.address
                    logger.notice("listening on \(address) (UDP, TCP) now")
                    waiting.remove(at: index)
                } catch {
                    guard error.code != waiting[index].code else { continue }
                    waiting[index].code = tell(waiting[index].listener, error)
                }
            }
        }
    }

    private func tell(_ listener: LateListener, _ error: SocketError?) -> Int32? {
        let reason = error.map { "\($0)" } ?? "cannot listen on \(listener.address)"
        logger.warning(
            "\(reason); it is tried every second; give this machine the address, or correct `listen`"
        )
        return error?.code
    }
}
