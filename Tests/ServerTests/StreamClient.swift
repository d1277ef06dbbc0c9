import Glibc

/// A TCP client as plain as can be: it waits on its socket, for at most ten seconds.
final class StreamClient {
    private let descriptor: Int32

    /// Connects to 127.0.0.1.
    init(port: UInt16, receiveBuffer: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        if let receiveBuffer { set(SO_RCVBUF, receiveBuffer) }
        set(SO_RCVTIMEO, timeval(tv_sec: 10, tv_usec: 0))
        set(SO_SNDTIMEO, timeval(tv_sec: 10, tv_usec: 0))
        setNoDelay()
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        // Sound: the address is a local of the right size for its family.
        let result = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Failure(call: "connect", code: errno) }
    }

    /// Takes over a connection that a listener accepted.
    init(accepted: Int32) {
        descriptor = accepted
        set(SO_RCVTIMEO, timeval(tv_sec: 10, tv_usec: 0))
    }

    deinit { _ = Glibc.close(descriptor) }

    struct Failure: Error {
        var call: String
        var code: Int32
    }

    private func set<Value: BitwiseCopyable>(_ option: Int32, _ value: Value) {
        var value = value
        // Sound: the value outlives the call, and its size is given.
        let size = socklen_t(MemoryLayout<Value>.size)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, option, &value, size)
    }

    private func setNoDelay() {
        var on: Int32 = 1
        // Sound: as above.
        _ = unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, 4)
    }

    /// Sends the octets in one call where the socket takes them so.
    func send(_ octets: [UInt8]) throws {
        var sent = 0
        while sent < octets.count {
            // Sound: the range from `sent` on lies inside the array.
            let count = unsafe octets.withUnsafeBytes {
                unsafe Glibc.send(
                    descriptor,
                    $0.baseAddress?.advanced(by: sent),
                    $0.count - sent,
                    Int32(MSG_NOSIGNAL)
                )
            }
            guard count > 0 else { throw Failure(call: "send", code: errno) }
            sent += count
        }
    }

    /// Sends messages, each behind its length, in one segment.
    func send(messages: [[UInt8]]) throws {
        try send(messages.flatMap(Self.framed))
    }

    static func framed(_ message: [UInt8]) -> [UInt8] {
        [UInt8(message.count >> 8), UInt8(message.count & 0xFF)] + message
    }

    /// Tells the server that nothing more will be sent.
    func endSending() { _ = shutdown(descriptor, Int32(SHUT_WR)) }

    /// The next message; nil if the server closed the connection.
    func receive() throws -> [UInt8]? {
        guard let length = try read(exactly: 2) else { return nil }
        return try read(exactly: Int(length[0]) << 8 | Int(length[1]))
    }

    /// The next `count` messages, by their IDs.
    func receiveIDs(_ count: Int) throws -> [UInt16] {
        try (0..<count).compactMap { _ in
            try receive().map { UInt16($0[0]) << 8 | UInt16($0[1]) }
        }
    }

    private func read(exactly count: Int) throws -> [UInt8]? {
        var octets = [UInt8](repeating: 0, count: count)
        var have = 0
        while have < count {
            // Sound: the range from `have` on lies inside the array.
            let got = unsafe octets.withUnsafeMutableBytes {
                unsafe recv(descriptor, $0.baseAddress?.advanced(by: have), $0.count - have, 0)
            }
            if got == 0 || (got < 0 && errno == ECONNRESET) { return nil }
            guard got > 0 else { throw Failure(call: "recv", code: errno) }
            have += got
        }
        return octets
    }

    /// True once the connection is dead, without reading what has come.
    func isReset() -> Bool {
        var item = pollfd(fd: descriptor, events: 0, revents: 0)
        // Sound: one item, as said.
        return unsafe poll(&item, 1, 10_000) == 1 && item.revents & Int16(POLLERR | POLLHUP) != 0
    }
}
