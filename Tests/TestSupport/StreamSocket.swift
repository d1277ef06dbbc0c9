import DNSWire
import Glibc

/// A TCP connection of a test; reading times out after ten seconds.
package final class StreamSocket: Sendable {
    private let descriptor: Int32

    /// Connects from `source` to a port of 127.0.0.1.
    package init(from source: String = "127.0.0.1", to port: UInt16) throws {
        let bound = try BoundSocket(kind: .stream, address: source)
        var peer = BoundSocket.name("127.0.0.1", port)
        // Sound: the address is a local of the right size for its family.
        let result = unsafe withUnsafePointer(to: &peer) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(bound.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw BoundSocket.Failure(call: "connect", code: errno) }
        descriptor = dup(bound.descriptor)
    }

    /// The next connection to `listener`; nil once it no longer listens.
    package init?(acceptedBy listener: BoundSocket) {
        var accepted: Int32
        repeat {
            accepted = accept(listener.descriptor, nil, nil)
        } while accepted < 0 && errno == EAGAIN
        guard accepted >= 0 else { return nil }
        descriptor = accepted
        var timeout = timeval(tv_sec: 10, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        // Sound: the structure outlives the call that gets its address and size.
        _ = unsafe setsockopt(accepted, SOL_SOCKET, SO_RCVTIMEO, &timeout, size)
    }

    deinit { _ = Glibc.close(descriptor) }

    package static func framed(_ message: [UInt8]) -> [UInt8] {
        [UInt8(message.count >> 8), UInt8(message.count & 0xFF)] + message
    }

    /// Sends octets unchanged; false once the peer takes no more.
    @discardableResult
    package func send(_ octets: [UInt8]) -> Bool {
        var sent = 0
        while sent < octets.count {
            // Sound: the range from `sent` on lies inside the array.
            let count = unsafe octets.withUnsafeBytes {
                let rest = unsafe UnsafeRawBufferPointer(rebasing: $0[sent...])
                return unsafe Glibc.send(
                    descriptor,
                    rest.baseAddress,
                    rest.count,
                    Int32(MSG_NOSIGNAL)
                )
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    package func endSending() { _ = shutdown(descriptor, Int32(SHUT_WR)) }

    /// The next message; nil at the end.
    package func receive() -> [UInt8]? {
        guard let length = read(exactly: 2) else { return nil }
        return read(exactly: Int(length[0]) << 8 | Int(length[1]))
    }

    /// The next octets; nil if there are fewer.
    package func read(exactly count: Int) -> [UInt8]? {
        var octets = [UInt8](repeating: 0, count: count)
        var have = 0
        while have < count {
            // Sound: the range from `have` on lies inside the array.
            let got = unsafe octets.withUnsafeMutableBytes {
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: $0[have...])
                return unsafe recv(descriptor, rest.baseAddress, rest.count, 0)
            }
            guard got > 0 else { return nil }
            have += got
        }
        return octets
    }

    /// Waits at most `milliseconds` for the peer to close the connection; true if it did.
    package func isClosed(within milliseconds: Int32) -> Bool {
        // POLLRDHUP of <poll.h>, which needs _GNU_SOURCE there.
        var item = pollfd(fd: descriptor, events: 0x2000, revents: 0)
        // Sound: one item, as said.
        return unsafe poll(&item, 1, milliseconds) == 1
    }
}
