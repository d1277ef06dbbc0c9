import Glibc

/// A simple TCP client with blocking calls and a timeout of ten seconds.
package final class StreamClient: Sendable {
    private let descriptor: Int32

    /// Connects to 127.0.0.1 from `source`, or from an address of the kernel's choice.
    package init(port: UInt16, from source: String? = nil, receiveBuffer: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        if let receiveBuffer { set(SO_RCVBUF, receiveBuffer) }
        set(SO_RCVTIMEO, timeval(tv_sec: 10, tv_usec: 0))
        set(SO_SNDTIMEO, timeval(tv_sec: 10, tv_usec: 0))
        setNoDelay()
        if let source {
            // Sound, as below: `call` passes a name that lives as long as the call.
            let bound = unsafe call(Glibc.bind, BoundSocket.name(source, 0))
            guard bound == 0 else { throw Failure(call: "bind", code: errno) }
        }
        let result = unsafe call(Glibc.connect, BoundSocket.name("127.0.0.1", port))
        guard result == 0 else { throw Failure(call: "connect", code: errno) }
    }

    private func call(
        _ function: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32,
        _ name: sockaddr_in
    ) -> Int32 {
        var name = name
        // Sound: the name outlives the call, and its size is given.
        return unsafe withUnsafePointer(to: &name) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe function(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// Accepts the next connection of a listening socket; nil after ten seconds without one.
    package init?(acceptedBy listener: BoundSocket) {
        let accepted = accept(listener.descriptor, nil, nil)
        guard accepted >= 0 else { return nil }
        descriptor = accepted
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        set(SO_RCVTIMEO, timeval(tv_sec: 10, tv_usec: 0))
    }

    deinit { _ = Glibc.close(descriptor) }

    package struct Failure: Error {
        package var call: String
        package var code: Int32

        package init(call: String, code: Int32) {
            self.call = call
            self.code = code
        }
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

    /// Sends the octets, in one call if the socket takes them.
    package func send(_ octets: [UInt8]) throws {
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

    /// Sends `octets` repeatedly until the peer takes no more for half a second, or has taken
    /// `limit` octets; returns how many it has taken.
    package func sendUntilBlocked(_ octets: [UInt8], limit: Int) -> Int {
        var sent = 0
        while sent < limit {
            // The remainder of the previous call comes first, so that messages stay whole.
            let rest = Array(octets[(sent % octets.count)...])
            // Sound: the buffer is an array, passed with its size.
            let count = unsafe Glibc.send(
                descriptor,
                rest,
                rest.count,
                Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
            )
            if count > 0 {
                sent += count
                continue
            }
            var item = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            // Sound: one item, as said.
            guard count < 0, errno == EAGAIN, unsafe poll(&item, 1, 500) == 1 else { break }
        }
        return sent
    }

    /// Sends messages with their length prefixes in one segment.
    package func send(messages: [[UInt8]]) throws {
        try send(messages.flatMap(Self.framed))
    }

    package static func framed(_ message: [UInt8]) -> [UInt8] {
        [UInt8(message.count >> 8), UInt8(message.count & 0xFF)] + message
    }

    /// Closes the connection with a reset when it is no longer referenced.
    package func resetOnClose() { set(SO_LINGER, linger(l_onoff: 1, l_linger: 0)) }

    /// Closes the sending direction.
    package func endSending() { _ = shutdown(descriptor, Int32(SHUT_WR)) }

    /// The next message; nil if the server closed the connection.
    package func receive() throws -> [UInt8]? {
        guard let length = try read(exactly: 2) else { return nil }
        return try read(exactly: Int(length[0]) << 8 | Int(length[1]))
    }

    /// The next `count` messages, by their IDs.
    package func receiveIDs(_ count: Int) throws -> [UInt16] {
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

    /// True once the connection is closed; does not read received data.
    package func isReset() -> Bool {
        var item = pollfd(fd: descriptor, events: 0, revents: 0)
        // Sound: one item, as said.
        return unsafe poll(&item, 1, 10_000) == 1 && item.revents & Int16(POLLERR | POLLHUP) != 0
    }
}
