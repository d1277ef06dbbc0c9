import CSockets
import Glibc

/// The descriptors that a worker waits on, each with a token that comes back with its events.
///
/// Sendable because the thread that made it hands it to the worker's, which alone uses it then.
@safe struct Epoll: ~Copyable, @unchecked Sendable {
    private let descriptor: Int32
    private let tokens: UnsafeMutablePointer<UInt64>

    init() throws(SocketError) {
        descriptor = csockets_epoll_create()
        guard descriptor >= 0 else { throw SocketError(call: "epoll_create1") }
        unsafe tokens = .allocate(capacity: csockets_epoll_capacity)
        unsafe tokens.initialize(repeating: 0, count: csockets_epoll_capacity)
    }

    deinit {
        _ = close(descriptor)
        unsafe tokens.deallocate()
    }

    /// Reports `event` whenever `watched` is readable, until it is closed; false if that cannot be.
    func add(_ watched: Int32, _ event: WorkerEvent) -> Bool {
        csockets_epoll_add(descriptor, watched, event.token) == 0
    }

    /// Fails only for what is not there.
    func remove(_ watched: Int32) { _ = csockets_epoll_remove(descriptor, watched) }

    /// How many events there are, after at most `timeout` milliseconds; -1 waits for ever.
    func wait(timeout: Int32) -> Int {
        // Sound: the call writes at most `csockets_epoll_capacity` tokens. EINTR is no event.
        Int(max(unsafe csockets_epoll_wait(descriptor, tokens, timeout), 0))
    }

    /// An event of the last `wait`.
    func event(at index: Int) -> WorkerEvent {
        precondition(index >= 0 && index < csockets_epoll_capacity)
        // Sound: every token is initialised.
        return WorkerEvent(token: unsafe tokens[index])
    }
}
