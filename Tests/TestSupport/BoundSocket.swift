import DNSWire
package import Glibc

/// A socket bound to a loopback address; receiving times out after ten seconds.
package final class BoundSocket: Sendable {
    package enum Kind: Sendable { case datagram, stream }

    package let descriptor: Int32
    package let port: UInt16

    package struct Failure: Error {
        package var call: String
        package var code: Int32
    }

    /// Binds to `address`, 127.0.0.1 by default; port 0 lets the kernel choose.
    ///
    /// With `sharing`, other processes of this user may bind the same port (SO_REUSEPORT).
    package init(
        kind: Kind,
        address: String = "127.0.0.1",
        port: UInt16 = 0,
        sharing: Bool = false
    ) throws {
        let type = Int32((kind == .datagram ? SOCK_DGRAM : SOCK_STREAM).rawValue)
        let descriptor = socket(AF_INET, type | Int32(SOCK_CLOEXEC.rawValue), 0)
        var timeout = timeval(tv_sec: 10, tv_usec: 0)
        let timeoutSize = socklen_t(MemoryLayout<timeval>.size)
        // Sound, here and below: each structure outlives the call that gets its address and size.
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, timeoutSize)
        var room: Int32 = 4 << 20
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &room, 4)
        // Connections of an earlier socket on this port may still be in TIME_WAIT.
        var reuse: Int32 = kind == .stream && port != 0 ? 1 : 0
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, 4)
        var share: Int32 = sharing ? 1 : 0
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &share, 4)
        var name = Self.name(address, port)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = unsafe withUnsafeMutablePointer(to: &name) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                guard unsafe bind(descriptor, $0, size) == 0 else { return false }
                return unsafe getsockname(descriptor, $0, &size) == 0
            }
        }
        (self.descriptor, self.port) = (descriptor, UInt16(bigEndian: name.sin_port))
        guard bound else { throw Failure(call: "bind", code: errno) }
    }

    /// A UDP and a TCP socket on one port of 127.0.0.1 that is free for both.
    package static func pair() throws -> (datagram: BoundSocket, stream: BoundSocket) {
        // Closed connections keep a port for a minute, so the TCP port is chosen first.
        for _ in 0..<50 {
            let stream = try BoundSocket(kind: .stream)
            if let datagram = try? BoundSocket(kind: .datagram, port: stream.port) {
                return (datagram, stream)
            }
        }
        throw Failure(call: "bind", code: EADDRINUSE)
    }

    deinit { _ = Glibc.close(descriptor) }

    /// Listens; connections wait to be accepted.
    package func listen() throws {
        guard Glibc.listen(descriptor, 64) == 0 else { throw Failure(call: "listen", code: errno) }
    }

    package static func name(_ address: String, _ port: UInt16) -> sockaddr_in {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        name.sin_addr.s_addr = (IPAddress(address)?.v4 ?? 0).bigEndian
        return name
    }

    /// Sends a datagram.
    package func send(_ octets: [UInt8], to peer: sockaddr_in) {
        var peer = peer
        _ = unsafe withUnsafePointer(to: &peer) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                let size = socklen_t(MemoryLayout<sockaddr_in>.size)
                return unsafe sendto(descriptor, octets, octets.count, 0, $0, size)
            }
        }
    }

    /// True once a datagram has arrived; false after `milliseconds` without one.
    package func awaitDatagram(milliseconds: Int32) -> Bool {
        var item = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        // Sound: one item, as said.
        return unsafe poll(&item, 1, milliseconds) == 1
    }

    /// The next datagram and its sender; nil after ten seconds without one.
    package func receive() -> (octets: [UInt8], peer: sockaddr_in)? {
        var octets = [UInt8](repeating: 0, count: 65_535)
        var peer = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let count = unsafe withUnsafeMutablePointer(to: &peer) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe recvfrom(descriptor, &octets, octets.count, 0, $0, &size)
            }
        }
        guard count >= 0 else { return nil }
        return (Array(octets[..<count]), peer)
    }
}
