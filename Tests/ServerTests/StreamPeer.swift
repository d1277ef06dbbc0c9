import DNSWire
import Glibc
import Server
import Snapshot
import TestSupport

/// A name server on a free TCP port of 127.0.0.1 that does what a test tells it, connection by connection.
final class StreamPeer {
    private let descriptor: Int32
    let port: UInt16

    init() throws {
        let descriptor = socket(
            AF_INET,
            Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue),
            0
        )
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        var timeout = timeval(tv_sec: 10, tv_usec: 0)
        let timeoutSize = socklen_t(MemoryLayout<timeval>.size)
        // Sound: the locals outlive the calls and have the sizes that are given.
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, timeoutSize)
        let result = unsafe withUnsafeMutablePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard unsafe bind(descriptor, address, size) == 0 else { return Int32(-1) }
                return unsafe getsockname(descriptor, address, &size)
            }
        }
        guard result == 0, listen(descriptor, 16) == 0 else {
            throw StreamClient.Failure(call: "bind", code: errno)
        }
        self.descriptor = descriptor
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit { _ = Glibc.close(descriptor) }

    var upstream: Upstream { Upstream(address: IPAddress(v4: 0x7F00_0001), port: port) }

    /// The next connection, from the asker's side or to it.
    func accept() throws -> StreamClient {
        let accepted = Glibc.accept(descriptor, nil, nil)
        guard accepted >= 0 else { throw StreamClient.Failure(call: "accept", code: errno) }
        return StreamClient(accepted: accepted)
    }

    /// Waits for a connection or for `other` to be readable; true if there is a connection.
    func isCalled(before other: Int32) throws -> Bool {
        var items = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: other, events: Int16(POLLIN), revents: 0),
        ]
        // Sound: two items, as said.
        guard unsafe poll(&items, 2, 10_000) > 0 else {
            throw StreamClient.Failure(call: "poll", code: ETIMEDOUT)
        }
        return items[0].revents != 0
    }

    /// Accepts nothing more: who connects is refused.
    func stopListening() { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }
}
