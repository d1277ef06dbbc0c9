import DNSWire
import Resolver
import Snapshot
import Upstream

/// The clients of a worker that wait for upstream answers, and when each times out.
///
/// Each is a plain value in a table whose places are used again.
struct WaitingClients: ~Copyable {
    /// The maximum number of upstream questions for one client's query.
    ///
    /// A chain of aliases needs one for each alias. Twice that many leave room for steps that are
    /// repeated after a hand-over to another worker.
    static let stepLimit = 2 * (CompiledSnapshot.aliasLimit + 1)
    /// How long a client waits, in milliseconds.
    ///
    /// Many clients time out after five seconds.
    static let patience: Milliseconds = 4_950

    /// One waiting client.
    struct Entry: BitwiseCopyable {
        var client: Client
        /// The group of clients that share a quota.
        var group: ClientGroup
        /// Where the reply goes; nil for a client over TCP.
        var peer: DatagramPeer?
        fileprivate(set) var message: OctetStore.Place
        var deadline: Milliseconds
        /// How many upstream questions the query has needed, over all workers.
        var steps: UInt8
        /// True once the client gets an expired answer rather than waiting on.
        var acceptsStale: Bool
        /// The question that it waits for, and the servers whose address lookups have failed.
        var awaited = Awaited()
        var failedLookups = FailedLookups()
        /// The classification and route of the query in the snapshot of `generation`; nil if not
        /// known.
        var placement: Placement?
        var generation: UInt64 = 0
        /// True if the client has an entry in `extras`.
        fileprivate var hasExtra = false
    }

    /// The question that a client waits for.
    struct Awaited: BitwiseCopyable {
        var question = QuestionID.none
        /// The server whose address is looked up; nil if the question is the client's own.
        var lookup: ServerLookup?
    }

    /// Data that only few clients have.
    private struct Extra {
        var respond: (@Sendable ([UInt8]?) -> Void)?
        var answers: [FreshAnswer] = []
    }

    private var entries = Slots<Entry>()
    private var messages = OctetStore()
    private var extras: [Int: Extra] = [:]
    /// The counts of all workers.
    ///
    /// A client's equal questions wait at one worker, its others at any.
    private let counts: WaitingCounts
    private var timers = TimerWheel()

    init(counts: WaitingCounts) { self.counts = counts }

    var isEmpty: Bool { entries.isEmpty }
    var count: Int { entries.count }
    var nextDue: Milliseconds? { timers.nextDue }

    /// True if the client has as many waiting queries as it may have.
    func isFull(for client: Client, of group: ClientGroup) -> Bool {
        counts[ClientNetwork(client, group)] >= counts.limitPerClient
    }

    /// Adds a client that sent a datagram.
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

    /// Adds a client that another thread has handed over.
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

    /// The place of a client's entry; nil once the client has been removed.
    func place(of client: SlotID) -> Int? { entries.place(of: client) }

    subscript(place: Int) -> Entry {
        _read { yield entries[place] }
        _modify { yield &entries[place] }
    }

    /// Calls `body` with the octets of a client's query.
    @inline(__always)
    func withMessage<Result>(at place: Int, _ body: (Span<UInt8>) -> Result) -> Result {
        messages.withOctets(at: entries[place].message, body)
    }

    /// True for a client over TCP, and for one with upstream answers.
    func hasExtra(at place: Int) -> Bool { entries[place].hasExtra }

    /// The upstream answers for a client so far.
    func answers(at place: Int) -> [FreshAnswer] {
        entries[place].hasExtra ? extras[place]?.answers ?? [] : []
    }

    /// Adds an upstream answer for a client that needs another one, too.
    mutating func note(_ answer: FreshAnswer, at place: Int) {
        entries[place].hasExtra = true
        extras[place, default: Extra()].answers.append(answer)
    }

    /// The function that replies to a client over TCP; nil for a client over UDP.
    func respond(at place: Int) -> (@Sendable ([UInt8]?) -> Void)? {
        entries[place].hasExtra ? extras[place]?.respond : nil
    }

    /// Removes a client.
    mutating func remove(at place: Int) {
        counts.add(-1, for: ClientNetwork(entries[place].client, entries[place].group))
        if entries[place].hasExtra { extras[place] = nil }
        messages.free(entries[place].message)
        timers.clear(place)
        entries.remove(at: place)
    }

    /// Removes a client and returns it in the form for another thread.
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

    /// Returns a client that is due for an expired answer or has reached its deadline, and resets
    /// its timer.
    mutating func takeDue(at now: Milliseconds) -> SlotID? {
        while let place = timers.takeDue(at: now) {
            guard let id = entries.id(at: place) else { continue }
            timers.set(place, due: max(entries[place].deadline, now + 2), now: now)
            return id
        }
        return nil
    }

    /// All waiting clients.
    var all: [SlotID] {
        var all: [SlotID] = []
        for place in 0..<entries.placeCount {
            if let id = entries.id(at: place) { all.append(id) }
        }
        return all
    }
}
