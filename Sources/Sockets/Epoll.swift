import CSockets
import Glibc

/// An epoll instance: the descriptors that a thread waits on, each with a token that its events
/// carry.
///
/// It is Sendable because one thread makes it and hands it to a worker's thread, which alone uses
/// it from then on.
@safe public struct Epoll: ~Copyable, @unchecked Sendable {
    private let descriptor: Int32
    private let events: UnsafeMutablePointer<csockets_event>

    public init() throws(SocketError) {
        descriptor = csockets_epoll_create()
        guard descriptor >= 0 else { throw SocketError(call: "epoll_create1") }
        unsafe events = .allocate(capacity: csockets_epoll_capacity)
        unsafe events.initialize(repeating: csockets_event(), count: csockets_epoll_capacity)
    }

    deinit {
        _ = close(descriptor)
        unsafe events.deallocate()
    }

    /// Reports `token` whenever `watched` is readable, until it is closed; returns false on
    /// failure.
    public func add(_ watched: Int32, token: UInt64) -> Bool {
        csockets_epoll_add(descriptor, watched, token) == 0
    }

    /// Reports `token` whenever `watched` has this readiness, and always when it has ended.
    public func change(_ watched: Int32, token: UInt64, to readiness: Readiness) {
        _ = csockets_epoll_change(descriptor, watched, token, readiness.rawValue)
    }

    /// Stops reporting `watched`; fails only if it was not added.
    public func remove(_ watched: Int32) { _ = csockets_epoll_remove(descriptor, watched) }

    /// Waits at most `timeout` milliseconds, or forever if -1; returns the number of events.
    public func wait(timeout: Int32) -> Int {
        // Sound: the call writes at most `csockets_epoll_capacity` events. EINTR counts as no
        // events.
        Int(max(unsafe csockets_epoll_wait(descriptor, events, timeout), 0))
    }

    /// The token of an event of the last `wait`.
    public func token(at index: Int) -> UInt64 { event(at: index).token }

    /// What the descriptor of an event of the last `wait` is ready for.
    public func readiness(at index: Int) -> Readiness {
        Readiness(rawValue: event(at: index).readiness)
    }

    private func event(at index: Int) -> csockets_event {
        precondition(index >= 0 && index < csockets_epoll_capacity)
        // Sound: every event is initialised.
        return unsafe events[index]
    }

    /// What a descriptor is ready for.
    public struct Readiness: OptionSet, Sendable {
        public let rawValue: UInt32

        public init(rawValue: UInt32) { self.rawValue = rawValue }

        public static let readable = Readiness(rawValue: csockets_epoll_readable)
        public static let writable = Readiness(rawValue: csockets_epoll_writable)
        /// An error, or the end of both directions; reported without being requested.
        public static let ended = Readiness(rawValue: csockets_epoll_ended)
    }
}
