import CSockets
import Glibc
import Sockets

/// The descriptor of a client's connection, closed when the last reference is released.
final class AcceptedSocket: Sendable {
    private let descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { _ = close(descriptor) }

    /// The result of a read or a write that does not block.
    enum Progress {
        case moved(Int)
        /// The peer has closed its direction.
        case end
        case nothing
        case failed
    }

    /// Reads into `memory`, which must not be empty.
    func receive(into memory: UnsafeMutableRawBufferPointer) -> Progress {
        // Sound: the call writes at most as many octets as `memory` has.
        let count = unsafe recv(descriptor, memory.baseAddress, memory.count, flags)
        return count == 0 ? .end : progress(count)
    }

    /// Sends as much of `octets` as the kernel takes.
    func send(_ octets: Span<UInt8>) -> Progress {
        // Sound: the octets stay alive during the call.
        let count = unsafe octets.withUnsafeBytes {
            unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, flags)
        }
        return progress(count)
    }

    private var flags: Int32 { Int32(truncatingIfNeeded: MSG_DONTWAIT | MSG_NOSIGNAL) }

    private func progress(_ count: Int) -> Progress {
        guard count < 0 else { return .moved(count) }
        switch errorNumber() {
        case EAGAIN, EINTR: return .nothing
        default: return .failed
        }
    }

    /// Makes closing the socket drop unsent data and reset the connection.
    func resetOnClose() {
        var reset = linger(l_onoff: 1, l_linger: 0)
        let size = socklen_t(MemoryLayout<linger>.size)
        // Sound: the structure outlives the call and has the given size.
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &reset, size)
    }

    // MARK: Waiting

    func join(_ epoll: borrowing Epoll, as id: StreamID) -> Bool {
        epoll.add(descriptor, token: StreamEvent.connection(id).token)
    }

    /// Changes the readiness of the socket that epoll reports for `id`.
    func wait(for readiness: Epoll.Readiness, as id: StreamID, in epoll: borrowing Epoll) {
        epoll.change(descriptor, token: StreamEvent.connection(id).token, to: readiness)
    }
}
