import CSockets
import Glibc
import Sockets

/// The descriptor of a client's connection, closed with the last who holds it.
final class AcceptedSocket: Sendable {
    private let descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { _ = close(descriptor) }

    /// What became of reading or writing without waiting.
    enum Progress {
        case moved(Int)
        /// Nothing comes any more.
        case end
        case nothing
        case failed
    }

    /// Reads into `memory`, which is not empty.
    func receive(into memory: UnsafeMutableRawBufferPointer) -> Progress {
        // Sound: the call writes at most as many octets as there are.
        let count = unsafe recv(descriptor, memory.baseAddress, memory.count, flags)
        return count == 0 ? .end : progress(count)
    }

    /// Sends as much of `octets` as the kernel takes.
    func send(_ octets: Span<UInt8>) -> Progress {
        // Sound: the call reads the octets while they are there.
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

    /// Has the kernel drop what the peer did not take, with a reset, once the socket is closed.
    func resetOnClose() {
        var reset = linger(l_onoff: 1, l_linger: 0)
        let size = socklen_t(MemoryLayout<linger>.size)
        // Sound: the structure outlives the call and has the size that is given.
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &reset, size)
    }

    // MARK: Waiting

    func join(_ epoll: borrowing Epoll, as id: StreamID) -> Bool {
        epoll.add(descriptor, token: StreamEvent.connection(id).token)
    }

    /// Has `id` reported when the socket is what `readiness` says.
    func wait(for readiness: Epoll.Readiness, as id: StreamID, in epoll: borrowing Epoll) {
        epoll.change(descriptor, token: StreamEvent.connection(id).token, to: readiness)
    }
}
