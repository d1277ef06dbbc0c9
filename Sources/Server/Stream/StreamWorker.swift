import Resolver
import Sockets
import Upstream

/// One TCP thread: it accepts connections, reads queries and sends replies.
///
/// It blocks only in `Epoll.wait`. The first thread accepts all connections, and distributes them
/// to the threads in turn.
struct StreamWorker: ~Copyable {
    let parts: StreamParts
    var loop: StreamLoop
    var connections = StreamSlots()
    private var listeners: [StreamListener] = []
    /// The number of the thread that got the last connection.
    private var turn = 0
    /// When the thread next looks for idle connections.
    private var nextLook: Milliseconds = 0
    /// When the thread accepts again, after the system had no room for a connection; otherwise nil.
    private var nextAccept: Milliseconds?
    private var isTaking = true
    private var endDeadline: Milliseconds?

    /// The maximum number of connections accepted before other events are handled.
    private static let arrivalsAtOnce = 16
    private static let acceptPause: Milliseconds = 1000

    init(_ parts: StreamParts) {
        self.parts = parts
        loop = StreamLoop(parts)
    }

    /// Runs until the thread is told to end and no connection is left, or the deadline has passed.
    mutating func run() {
        while !isDone {
            let count = parts.epoll.wait(timeout: patience)
            wake()
            for index in 0..<count {
                handle(
                    StreamEvent(token: parts.epoll.token(at: index)),
                    parts.epoll.readiness(at: index)
                )
            }
            lookAround()
        }
        end()
    }

    /// Updates the time, and takes up the snapshot in force.
    ///
    /// Connections that wait to be accepted were opened under the old snapshot, so they are
    /// accepted first.
    private mutating func wake() {
        loop.wake()
        guard loop.isOutdated else { return }
        for index in listeners.indices {
            accept(from: index, atMost: 2 * Int(StreamListener.backlog))
        }
        loop.renew()
        for index in connections.indices {
            connections[index]?.reconsider(loop)
            removeIfOver(index)
        }
    }

    private mutating func handle(_ event: StreamEvent, _ readiness: Epoll.Readiness) {
        switch event {
        case .inbox: for item in parts.inbox.takeAll() { handle(item) }
        case .listener(let index): if listeners.indices.contains(index) { accept(from: index) }
        case .connection(let id):
            guard let index = connections.index(of: id) else { return }
            connections[index]?.handle(readiness, &loop)
            removeIfOver(index)
        }
    }

    private mutating func handle(_ item: StreamInbox.Item) {
        switch item {
        case .listen(let listener): if isTaking { listen(listener) }
        case .connection(let accepted): serve(accepted)
        case .response(let id, let response):
            guard let index = connections.index(of: id) else { return }
            connections[index]?.deliver(response, &loop)
            removeIfOver(index)
        case .close(let id):
            guard let index = connections.index(of: id) else { return }
            connections[index]?.abort()
            remove(index)
        case .newSnapshot(let arrivals):
            wake()
            arrivals.note()
        case .startDraining(let continuation):
            loop.isDraining = true
            for listener in listeners { listener.letGo() }
            continuation.resume()
        case .end(let deadline):
            stopTaking()
            endDeadline = deadline
        }
    }

    // MARK: Connections

    private mutating func listen(_ listener: StreamListener) {
        let token = StreamEvent.listener(listeners.count).token
        listeners.append(listener)
        if !parts.epoll.add(listener.descriptor, token: token) { pauseAccepting() }
    }

    private mutating func accept(from index: Int, atMost limit: Int = arrivalsAtOnce) {
        for _ in 0..<limit {
            switch listeners[index].accept() {
            case .connection(var accepted):
                accepted.client.standing = loop.standing(of: accepted.client)
                accepted.generation = loop.generation
                handOut(accepted)
            case .lost: break
            case .nobody: return
            case .noRoom: return pauseAccepting()
            }
        }
    }

    /// Passes a connection to the next thread.
    ///
    /// During the end this thread serves it, since the others may have ended.
    private mutating func handOut(_ accepted: AcceptedStream) {
        guard isTaking else { return serve(accepted) }
        turn = (turn + 1) % parts.inboxes.count
        if turn == parts.number {
            serve(accepted)
        } else {
            parts.inboxes[turn].post(.connection(accepted))
        }
    }

    private mutating func serve(_ accepted: AcceptedStream) {
        if connections.count == 0 { nextLook = loop.now + lookPeriod }
        let index = connections.add { ClientStream(accepted, id: $0, in: loop) }
        guard !isTaking, let index else { return }
        connections[index]?.stopReading(&loop)
        removeIfOver(index)
    }

    private mutating func removeIfOver(_ index: Int) {
        if connections[index]?.isOver == true { remove(index) }
    }

    private mutating func remove(_ index: Int) {
        guard let connection = connections[index] else { return }
        parts.admission.leave(connection.presence)
        connections.remove(at: index)
    }

    // MARK: Time

    /// A quarter of the idle timeout: how often the thread looks for idle connections.
    private var lookPeriod: Milliseconds { max(parts.limits.idleTimeout.milliseconds / 4, 1) }

    private mutating func lookAround() {
        if connections.count > 0, loop.now >= nextLook {
            nextLook = loop.now + lookPeriod
            for index in connections.indices {
                connections[index]?.endIfIdle(loop)
                removeIfOver(index)
            }
        }
        if let time = nextAccept, loop.now >= time {
            nextAccept = nil
            for (index, listener) in listeners.enumerated() {
                _ = parts.epoll.add(
                    listener.descriptor,
                    token: StreamEvent.listener(index).token
                )
            }
        }
    }

    /// Stops accepting for a while; epoll would report the waiting connection continuously
    /// otherwise.
    private mutating func pauseAccepting() {
        for listener in listeners { parts.epoll.remove(listener.descriptor) }
        nextAccept = loop.now + Self.acceptPause
    }

    /// Milliseconds until the next event is due; -1 if none is.
    private var patience: Int32 {
        let due = min(
            connections.count > 0 ? nextLook : .max,
            nextAccept ?? .max,
            endDeadline ?? .max
        )
        guard due != .max else { return -1 }
        return Int32(min(due - min(due, loop.now), 60_000))
    }

    // MARK: The end

    private mutating func stopTaking() {
        guard isTaking else { return }
        isTaking = false
        // Clients that have connected are still answered, as far as no upstream is needed.
        for index in listeners.indices { accept(from: index, atMost: Int(StreamListener.backlog)) }
        for listener in listeners { listener.close() }
        listeners = []
        nextAccept = nil
        for index in connections.indices {
            connections[index]?.stopReading(&loop)
            removeIfOver(index)
        }
    }

    private var isDone: Bool {
        guard let endDeadline else { return false }
        return loop.now >= endDeadline || connections.count == 0
    }

    private mutating func end() {
        for index in connections.indices { remove(index) }
        for item in parts.inbox.close() {
            if case .startDraining(let continuation) = item { continuation.resume() }
        }
    }
}
