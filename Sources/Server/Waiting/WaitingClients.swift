import DNSWire
import Resolver
import Snapshot
import Upstream

/// The clients of a worker whose questions are being asked upstream, and when each loses patience.
///
/// A plain value for each, in a place that is used again.
struct WaitingClients: ~Copyable {
    /// Upstream answers that one client's question may need, alias after alias, each with a hand-over.
    static let stepLimit = 2 * (CompiledSnapshot.aliasLimit + 1)
    /// A little less than five seconds, which is how long many clients wait.
    static let patience: Milliseconds = 4_950

    /// One client.
    struct Entry: BitwiseCopyable {
        var client: Client
        /// With whom it shares the room for those who wait.
        var group: ClientGroup
        /// Where the reply goes; nil for a client over a connection.
        var peer: DatagramPeer?
        fileprivate(set) var message: OctetStore.Place
        var deadline: Milliseconds
        /// How often the pipeline has asked for an upstream answer, over all workers.
        var steps: UInt8
        /// True once an expired answer is better than more waiting.
        var acceptsStale: Bool
        /// What it waits for now, and which addresses of servers nobody told.
        var awaited = Awaited()
        var failedLookups = FailedLookups()
        /// What the snapshot of a generation says of the query; nil if it has not been asked.
        var placement: Placement?
        var generation: UInt64 = 0
        /// There is more in `extras`.
        fileprivate var hasExtra = false
    }

    /// What a client waits for.
    struct Awaited: BitwiseCopyable {
        var question = QuestionID.none
        /// The server whose address it is; nil if the question is the client's own.
        var lookup: ServerLookup?
    }

    /// What few clients have.
    private struct Extra {
        var respond: (@Sendable ([UInt8]?) -> Void)?
        var answers: [FreshAnswer] = []
    }

    private var entries = Slots<Entry>()
    private var messages = OctetStore()
    private var extras: [Int: Extra] = [:]
    /// Those of all workers: equal questions of one client come together at one of them, others spread.
    private let counts: WaitingCounts
    private var timers = TimerWheel()

    init(counts: WaitingCounts) { self.counts = counts }

    var isEmpty: Bool { entries.isEmpty }
    var count: Int { entries.count }
    var nextDue: Milliseconds? { timers.nextDue }

    /// True if it would be one too many of its address.
    func isFull(for client: Client, of group: ClientGroup) -> Bool {
        counts[ClientNetwork(client, group)] >= counts.limitPerClient
    }

    /// Keeps a client that sent a datagram.
    mutating func add(
        _ message: Span<UInt8>,
        from client: Client,
        of group: ClientGroup,
        at peer: DatagramPeer,
        now: Milliseconds
    ) -> SlotID {
        let place =
            message.count <= Query.longestVerbatim
            ? messages.add(message) : messages.add(Query.kept(of: message).span)
        return add(
            Entry(
                client: client,
                group: group,
                peer: peer,
                message: place,
                deadline: now + Self.patience,
                steps: 0,
                acceptsStale: false
            ),
            now: now
        )
    }

    /// Keeps a client that another thread has handed over.
    mutating func add(
        _ waiting: WaitingClient,
        of group: ClientGroup,
        now: Milliseconds
    ) -> SlotID {
        var entry = Entry(
            client: waiting.client,
            group: group,
            peer: nil,
            message: messages.add(waiting.message.span),
            deadline: waiting.deadline,
            steps: UInt8(clamping: waiting.steps),
            acceptsStale: waiting.acceptsStale,
            placement: waiting.placement,
            generation: waiting.generation
        )
        entry.failedLookups = waiting.failedLookups
        var extra = Extra(answers: waiting.answers)
        switch waiting.route {
        case .datagram(let peer): entry.peer = peer
        case .stream(let respond): extra.respond = respond
        }
        entry.hasExtra = extra.respond != nil || !extra.answers.isEmpty
        let id = add(entry, now: now)
        if entry.hasExtra { extras[Int(id.index)] = extra }
        return id
    }

    private mutating func add(_ entry: Entry, now: Milliseconds) -> SlotID {
        counts.add(1, for: ClientNetwork(entry.client, entry.group))
        let id = entries.add(entry)
        let due =
            entry.acceptsStale
            ? entry.deadline : entry.deadline - Self.patience + Forwarder.stalePatience
        timers.set(Int(id.index), due: due, now: now)
        return id
    }

    /// Where a client's entry stands; nil once it has been answered.
    func place(of client: SlotID) -> Int? { entries.place(of: client) }

    subscript(place: Int) -> Entry {
        _read { yield entries[place] }
        _modify { yield &entries[place] }
    }

    /// The octets of a client's query, for as long as `body` runs.
    @inline(__always)
    func withMessage<Result>(at place: Int, _ body: (Span<UInt8>) -> Result) -> Result {
        messages.withOctets(at: entries[place].message, body)
    }

    /// True of a client over a connection, and of one that answers came for.
    func hasExtra(at place: Int) -> Bool { entries[place].hasExtra }

    /// The answers that came for a client so far.
    func answers(at place: Int) -> [FreshAnswer] {
        entries[place].hasExtra ? extras[place]?.answers ?? [] : []
    }

    /// Notes an answer for a client who needs another one, too.
    mutating func note(_ answer: FreshAnswer, at place: Int) {
        entries[place].hasExtra = true
        extras[place, default: Extra()].answers.append(answer)
    }

    /// Takes the way back to a client over a connection; nil for one that sent a datagram.
    func respond(at place: Int) -> (@Sendable ([UInt8]?) -> Void)? {
        entries[place].hasExtra ? extras[place]?.respond : nil
    }

    /// Forgets a client.
    mutating func remove(at place: Int) {
        counts.add(-1, for: ClientNetwork(entries[place].client, entries[place].group))
        if entries[place].hasExtra { extras[place] = nil }
        messages.free(entries[place].message)
        timers.clear(place)
        entries.remove(at: place)
    }

    /// Takes a client away for another thread.
    mutating func takeAway(at place: Int) -> WaitingClient? {
        let entry = entries[place]
        let route: WaitingClient.ReplyRoute
        if let respond = respond(at: place) {
            route = .stream(respond)
        } else if let peer = entry.peer {
            route = .datagram(peer)
        } else {
            return nil
        }
        var waiting = WaitingClient(
            message: withMessage(at: place) { octets in octets.indices.map { octets[$0] } },
            client: entry.client,
            route: route,
            answers: answers(at: place),
            steps: Int(entry.steps),
            deadline: entry.deadline,
            acceptsStale: entry.acceptsStale,
            placement: entry.placement,
            generation: entry.generation
        )
        waiting.failedLookups = entry.failedLookups
        remove(at: place)
        return waiting
    }

    /// A client whose time has come: for an expired answer or, if there was none, for the end; the time is set anew.
    mutating func takeDue(at now: Milliseconds) -> SlotID? {
        while let place = timers.takeDue(at: now) {
            guard let id = entries.id(at: place) else { continue }
            timers.set(place, due: max(entries[place].deadline, now + 2), now: now)
            return id
        }
        return nil
    }

    /// The clients that wait now.
    var all: [SlotID] {
        var all: [SlotID] = []
        for place in 0..<entries.placeCount {
            if let id = entries.id(at: place) { all.append(id) }
        }
        return all
    }
}
