import DNSWire
import Resolver
import Snapshot
import Sockets

/// One TCP connection of a client (RFC 7766).
///
/// Queries that need no upstream are answered at once. The others are forwarded, and their replies
/// may follow out of order (§6.2.1.1). Nothing is read while too many queries are in flight or too
/// much of the replies is unsent.
struct ClientStream {
    let id: StreamID
    /// True once the connection is to be closed, which its own thread does.
    private(set) var isOver = false
    private(set) var presence: StreamPresence

    private let socket: AcceptedSocket
    private var phase: Phase
    /// Octets that were read but not handled: part of a message, or messages over the limit in
    /// flight.
    private var left = OctetQueue()
    /// Octets of replies that the kernel has not taken.
    private var unsent = OctetQueue()
    /// The number of queries that wait for an upstream.
    private var waiting = 0
    /// True once the peer sends no more, or the server reads no more.
    ///
    /// Queries that were read are answered.
    private var hasInputEnded = false
    /// The readiness that epoll reports.
    private var awaited = Epoll.Readiness.readable

    private enum Phase {
        /// A proxy, whose PROXY header has not arrived.
        case introducing(Client)
        case serving(Client)
        /// No more queries are handled; the connection closes once all replies are sent.
        case finishing
    }

    /// Serves an accepted connection; nil if the connection is refused, which closes it.
    init?(_ accepted: AcceptedStream, id: StreamID, in loop: borrowing StreamLoop) {
        let (address, group): (IPAddress?, Standing)
        switch loop.hear(accepted.client) {
        case .heard(let found):
            group = loop.standing(of: found)
            guard accepted.client.standing?.covers(group) ?? false else { return nil }
            address = accepted.client.peer
            phase = .serving(accepted.client)
        case .awaitsHeader:
            guard accepted.generation == loop.generation else { return nil }
            (address, group) = (nil, .unheard)
            phase = .introducing(accepted.client)
        case .ignored:
            loop.parts.counters.countStranger()
            return nil
        }
        let (admission, inbox) = (loop.parts.admission, loop.parts.inbox)
        guard let presence = admission.admit(id, of: inbox, from: address, in: group)
        else { return nil }
        self.id = id
        self.presence = presence
        socket = accepted.socket
        guard socket.join(loop.parts.epoll, as: id) else {
            admission.leave(presence)
            return nil
        }
    }

    // MARK: Events

    /// Reads and writes, as the socket is ready for.
    ///
    /// A connection that was reset can be neither read from nor written to.
    mutating func handle(_ readiness: Epoll.Readiness, _ loop: inout StreamLoop) {
        guard readiness.isDisjoint(with: .ended) else {
            isOver = true
            return
        }
        if readiness.contains(.writable) {
            sendAgain()
            advance(&loop)
        }
        if readiness.contains(.readable), mayRead { receive(&loop) }
        settle(loop)
    }

    /// Sends the reply to a forwarded query; nil ends the connection.
    mutating func deliver(_ response: [UInt8]?, _ loop: inout StreamLoop) {
        setWaiting(waiting - 1)
        presence.noteActivity(at: loop.nanoseconds)
        if let response, response.count <= StreamFrame.largestMessage {
            loop.write(response.span)
            send(&loop)
        } else {
            phase = .finishing
        }
        guard unsent.count <= loop.parts.limits.closingOctets else { return abort() }
        advance(&loop)
        settle(loop)
    }

    /// Ends a connection after a reload that raises its client's class, or excludes the client.
    ///
    /// A connection whose PROXY header has not arrived is ended in any case, since the class that
    /// its client had is not known.
    mutating func reconsider(_ loop: borrowing StreamLoop) {
        switch phase {
        case .introducing: isOver = true
        case .serving(var client):
            let standing = loop.standing(of: client)
            if client.standing?.covers(standing) ?? false {
                if client.standing != standing { regroup(client, as: standing, loop) }
                client.standing = standing
                phase = .serving(client)
            } else {
                phase = .finishing
                left = OctetQueue()
            }
        case .finishing: break
        }
        settle(loop)
    }

    /// Changes the group of the connection, unless its PROXY header names no client.
    private mutating func regroup(
        _ client: Client,
        as standing: Standing,
        _ loop: borrowing StreamLoop
    ) {
        let isAlone = client.header.map { $0.source == nil } ?? false
        guard !isAlone, let next = loop.parts.admission.regroup(presence, as: standing) else {
            return
        }
        presence = next
    }

    /// Stops reading after the queries that have arrived.
    ///
    /// The kernel's queue is read first. Closing a socket with unread data resets the connection,
    /// and the replies would be lost.
    mutating func stopReading(_ loop: inout StreamLoop) {
        if mayRead { receive(&loop) }
        hasInputEnded = true
        advance(&loop)
        settle(loop)
    }

    /// Ends a connection that has been idle for too long.
    ///
    /// If the peer does not read its replies, none of its queries is handled, so it becomes idle,
    /// too.
    mutating func endIfIdle(_ loop: borrowing StreamLoop) {
        let limits = loop.parts.limits
        let patience = waiting > 0 ? limits.answerTimeout : loop.parts.admission.idleTimeout
        let idle = loop.now - min(presence.lastActivity / 1_000_000, loop.now)
        if idle >= patience.milliseconds { abort() }
    }

    /// Ends at once.
    ///
    /// If replies are unsent, it resets the connection so that the kernel drops them, too.
    mutating func abort() {
        if !unsent.isEmpty { socket.resetOnClose() }
        isOver = true
    }

    // MARK: Reading

    private mutating func receive(_ loop: inout StreamLoop) {
        switch unsafe socket.receive(into: loop.input) {
        case .moved(let count):
            // Sound: `count` octets were just read, and nothing is read before they have been
            // handled.
            let octets = unsafe UnsafeRawBufferPointer(rebasing: loop.input[..<count])
            take(unsafe Span(_unsafeBytes: octets), &loop)
        case .end:
            hasInputEnded = true
            advance(&loop)
        case .nothing: break
        case .failed: isOver = true
        }
    }

    private mutating func take(_ octets: Span<UInt8>, _ loop: inout StreamLoop) {
        guard left.isEmpty else {
            left.append(octets)
            return advance(&loop)
        }
        let taken = takeQueries(octets, &loop)
        if taken < octets.count { left.append(octets.extracting(taken...)) }
    }

    /// Handles the octets that are left, as far as the limits allow.
    private mutating func advance(_ loop: inout StreamLoop) {
        var octets = OctetQueue()
        swap(&octets, &left)
        octets.removeFirst(octets.withOctets { takeQueries($0, &loop) })
        left = octets
    }

    /// Handles queries until they end or a limit is reached; returns the number of octets handled.
    private mutating func takeQueries(_ octets: Span<UInt8>, _ loop: inout StreamLoop) -> Int {
        var taken = 0
        if case .introducing(let proxy) = phase { taken = takeHeader(octets, of: proxy, loop) }
        while case .serving(let client) = phase, mayTakeMore(loop) {
            switch StreamFrame(in: octets, at: taken) {
            case .incomplete:
                if hasInputEnded { phase = .finishing }
                send(&loop)
                return taken
            case .notAMessage: phase = .finishing
            case .message(let message):
                taken = message.upperBound
                answer(octets.extracting(message), from: client, &loop)
            }
            if !loop.hasRoom { send(&loop) }
        }
        send(&loop)
        return taken
    }

    /// Reads the PROXY header; from then on the connection counts as the client's.
    private mutating func takeHeader(
        _ octets: Span<UInt8>,
        of proxy: Client,
        _ loop: borrowing StreamLoop
    ) -> Int {
        do throws(ProxyHeaderError) {
            guard let header = try ProxyHeader.read(octets) else {
                isOver = hasInputEnded
                return 0
            }
            var client = proxy.client(named: header)
            let standing = loop.standing(of: client)
            client.standing = standing
            let (admission, inbox) = (loop.parts.admission, loop.parts.inbox)
            guard admission.leave(presence),
                let own = admission.admit(
                    id,
                    of: inbox,
                    from: client.address,
                    // A health check of a load balancer names no client, and must not count as a
                    // refused client.
                    in: header.source == nil ? .unheard : standing
                )
            else {
                phase = .finishing
                return header.length
            }
            presence = own
            phase = .serving(client)
            return header.length
        } catch {
            loop.parts.counters.countBadProxyHeader()
            phase = .finishing
            return 0
        }
    }

    private mutating func answer(
        _ message: Span<UInt8>,
        from client: Client,
        _ loop: inout StreamLoop
    ) {
        presence.noteActivity(at: loop.nanoseconds)
        switch loop.answer(message, from: client) {
        case .reply: break
        case .forward(let asking): forward(message, from: client, asking, loop)
        case .drop: phase = .finishing
        }
    }

    private mutating func forward(
        _ message: Span<UInt8>,
        from client: Client,
        _ asking: Asking,
        _ loop: borrowing StreamLoop
    ) {
        setWaiting(waiting + 1)
        var client = client
        client.standing = client.standing ?? loop.standing(of: client)
        loop.parts.forwarder.forward(Query.kept(of: message), from: client, asking: asking) {
            [id, inbox = loop.parts.inbox] response in
            inbox.post(.response(id, response))
        }
    }

    // MARK: Writing

    /// Sends the replies that are ready, after those that the peer has not taken.
    private mutating func send(_ loop: inout StreamLoop) {
        loop.takeReplies { replies in
            let sent = unsent.isEmpty ? send(replies) : 0
            if sent < replies.count { unsent.append(replies.extracting(sent...)) }
        }
    }

    private mutating func sendAgain() { unsent.removeFirst(unsent.withOctets { send($0) }) }

    /// Returns the number of octets that the kernel has taken.
    private mutating func send(_ octets: Span<UInt8>) -> Int {
        switch socket.send(octets) {
        case .moved(let count): return count
        case .nothing: return 0
        case .end, .failed:
            isOver = true
            return 0
        }
    }

    // MARK: Limits

    private func mayTakeMore(_ loop: borrowing StreamLoop) -> Bool {
        !isOver && waiting < loop.parts.limits.queriesInFlight
            && unsent.count < loop.parts.limits.pausingOctets
    }

    private var mayRead: Bool { awaited.contains(.readable) }

    private mutating func setWaiting(_ count: Int) {
        waiting = count
        presence.noteWaiting(count > 0)
    }

    /// Ends a finished connection, or changes what epoll reports.
    private mutating func settle(_ loop: borrowing StreamLoop) {
        var next: Epoll.Readiness = unsent.isEmpty ? [] : .writable
        switch phase {
        case .finishing:
            if waiting == 0, unsent.isEmpty { isOver = true }
        case .introducing, .serving:
            if !hasInputEnded, mayTakeMore(loop) { next.insert(.readable) }
        }
        guard next != awaited, !isOver else { return }
        awaited = next
        socket.wait(for: next, as: id, in: loop.parts.epoll)
    }
}
