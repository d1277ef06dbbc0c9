import DNSWire
import Glibc
import Server
import Snapshot
import TestSupport

/// A name server on a free TCP port of 127.0.0.1 that a test controls, connection by connection.
final class StreamPeer {
    private let listener: BoundSocket

    init() throws {
        listener = try BoundSocket(kind: .stream)
        try listener.listen()
    }

    var upstream: AddressAndPort {
        AddressAndPort(IPAddress(v4: 0x7F00_0001), port: listener.port)
    }

    /// The next connection, from the asker's side or to it.
    func accept() throws -> StreamClient {
        guard let connection = StreamClient(acceptedBy: listener) else {
            throw StreamClient.Failure(call: "accept", code: errno)
        }
        return connection
    }

    /// Waits for a connection or for `other` to be readable; true if there is a connection.
    func isCalled(before other: Int32) throws -> Bool {
        var items = [
            pollfd(fd: listener.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: other, events: Int16(POLLIN), revents: 0),
        ]
        // Sound: two items, as said.
        guard unsafe poll(&items, 2, 10_000) > 0 else {
            throw StreamClient.Failure(call: "poll", code: ETIMEDOUT)
        }
        return items[0].revents != 0
    }

    /// Accepts nothing more: further connections are refused.
    func stopListening() { _ = shutdown(listener.descriptor, Int32(SHUT_RDWR)) }
}
