public import DNSWire
public import Snapshot
import Upstream

/// The path of a query, a stage a line; each thread owns one.
///
/// Holds the memory that a query needs on its way, so that none is allocated per query. It has no
/// socket and no clock: the message, the time and the snapshot are passed in.
@safe public struct Pipeline: ~Copyable {
    /// The name being answered: the question's, then the target of each alias.
    var name: FoldedName
    /// Told of every decision, for `explain`; the server has none.
    public var trace: Trace?
    /// The time of day in seconds since 1970, which cookies carry; its owner keeps it right.
    public var timeOfDay: UInt32 = 0

    /// Whether the owner asks upstreams again what expires soon.
    public var mayRefresh = false
    /// Bounds the replies to datagrams; nil where none come.
    public var limiter: ReplyLimiter?

    /// Answers of upstreams that private addresses were taken out of.
    public internal(set) var strippedCount: UInt64 = 0
    /// Answers with addresses that are all down, since nothing better was known.
    public internal(set) var failedOpenCount: UInt64 = 0

    let cache: ResponseCache
    /// An entry that expires soon was used, and stands in the miss.
    var isToBeRefreshed = false
    /// The query that is being answered.
    var request = Request()
    var response = Response()
    /// The answer that was taken last, and the name that it is about.
    var latest = LatestAnswer()
    public var askedName: FoldedName
    var scratch: FoldedName
    var target: FoldedName
    /// The delegation of a private zone that the current name is below.
    var delegation = Delegation()
    /// Where address answers start, so that clients spread over equal addresses.
    var turns = AddressTurns()

    /// Where a payload is copied from the cache, and where a message is put together from it.
    let payloadMemory: UnsafeMutableRawBufferPointer
    let messageMemory: UnsafeMutableRawBufferPointer
    private let pinned = Pinned()

    /// `seed` is the process's one: the snapshot's and the cache's hashes are keyed with it, too.
    public init(cache: ResponseCache, seed: HashSeed) {
        self.cache = cache
        name = FoldedName(seed: seed)
        scratch = FoldedName(seed: seed)
        target = FoldedName(seed: seed)
        askedName = FoldedName(seed: seed)
        unsafe payloadMemory = .allocate(byteCount: 65_536, alignment: 8)
        unsafe messageMemory = .allocate(byteCount: 66_560, alignment: 8)
    }

    deinit {
        unsafe payloadMemory.deallocate()
        unsafe messageMemory.deallocate()
    }

    /// Decides about one message from a client: the answer stands in `reply` then, or what has to be asked first in
    /// `miss`.
    ///
    /// `now` is in seconds of the process's steady clock. The writer's limit on entry is what the
    /// transport carries; the pipeline lowers it to what the client takes.
    public mutating func answer(
        _ message: Span<UInt8>,
        from client: Client,
        in snapshot: borrowing CompiledSnapshot,
        knowing resolution: borrowing Resolution,
        now: UInt32,
        into reply: inout ReplyWriter,
        missing miss: inout Miss
    ) -> Verdict {
        guard let asker = resolution.placement?.asker ?? snapshot.hear(client).asker else {
            return .drop(.notHeard)
        }
        if resolution.placement == nil, let standing = client.standing,
            !standing.covers(snapshot.standing(of: asker))
        {
            return .drop(.risen)
        }
        return answer(
            message,
            from: client,
            as: asker,
            in: snapshot,
            knowing: resolution,
            now: now,
            into: &reply,
            missing: &miss
        )
    }

    /// The same for a client whose class is known by other means, as `explain` knows it.
    public mutating func answer(
        _ message: Span<UInt8>,
        from client: Client,
        as asker: ClientClass,
        in snapshot: borrowing CompiledSnapshot,
        knowing resolution: borrowing Resolution,
        now: UInt32,
        into reply: inout ReplyWriter,
        missing miss: inout Miss
    ) -> Verdict {
        if asker.scope == .refused, snapshot.otherwise == .drop { return .drop(.notAllowed) }
        miss.group = asker.group
        isToBeRefreshed = false
        let query: Query
        do throws(QueryError) {
            query = try Query(reading: message)
        } catch {
            let verdict = AnswerRefusal.reply(to: message, because: error, into: &reply)
            return limit(verdict, for: client, asker, in: snapshot)
        }
        let options = ReplyOptions(
            for: query,
            message,
            from: client,
            in: snapshot,
            time: timeOfDay
        )
        if !options.showsTrueAddress, !resolution.isAdmitted,
            let verdict = limit(query, message, for: client, asker, in: snapshot, into: &reply)
        {
            return verdict
        }
        EncodeResponse.begin(
            query,
            message,
            options: options,
            transport: client.transport,
            capacity: reply.limit,
            into: &reply
        )
        request = Request(query, from: asker, now: now)
        response = Response()
        trace?.record(.classified(asker))
        if let refusal = ApplyPolicy.refusal(of: query, from: asker) {
            response.rcode = refusal.rcode
            response.error = refusal.error
        } else if !query.hasQuestion {
            response.rcode = options.cookieOutcome
        } else if query.recordClass == ApplyPolicy.chaos {
            _ = name.read(message, at: Header.size)
            AnswerIdentity.answer(name.name, in: snapshot, &response, into: &reply)
        } else if !resolve(
            message,
            in: snapshot,
            knowing: resolution,
            into: &reply,
            missing: &miss
        ) {
            return .forward
        }
        EncodeResponse.finish(
            response,
            to: query,
            options: options,
            in: snapshot,
            knowing: resolution,
            into: &reply
        )
        return isToBeRefreshed ? .replyAndRefresh : .reply
    }

    /// Answers name after name of the alias chain; false if something has to be asked of an upstream first.
    private mutating func resolve(
        _ message: Span<UInt8>,
        in snapshot: borrowing CompiledSnapshot,
        knowing resolution: borrowing Resolution,
        into reply: inout ReplyWriter,
        missing miss: inout Miss
    ) -> Bool {
        guard readName(message, resolution) else { return true }
        let first = resolution.placement?.route ?? routeOfName(in: snapshot)
        var route = first
        while true {
            trace?.record(.routed(name.name, route))
            var step = Step.done
            switch route?.kind {
            case .zone(let number):
                step = answerPrivate(
                    zone: snapshot.zone(number),
                    in: snapshot,
                    into: &reply
                )
            case .special(let number):
                step = answerSpecial(
                    zone: snapshot.zone(number),
                    in: snapshot,
                    into: &reply
                )
            case .rule(let rule):
                step = answerFromCache(
                    rule: .numbered(rule),
                    in: snapshot,
                    knowing: resolution,
                    into: &reply,
                    missing: &miss
                )
            case .nonexistent(let number):
                step = answerNonexistent(
                    zone: snapshot.zone(number),
                    in: snapshot,
                    into: &reply
                )
            case .delegation:
                step = answerFromDelegation(
                    in: snapshot,
                    knowing: resolution,
                    into: &reply,
                    missing: &miss
                )
            case .refuse, nil: refuse(in: snapshot, into: &reply)
            }
            if step == .follow { response.aliasCount += 1 }
            guard response.aliasCount <= CompiledSnapshot.aliasLimit else {
                fail(
                    .serverFailure,
                    .other,
                    in: &reply
                )
                return true
            }
            switch step {
            case .done:
                if reply.isFull { response.truncate(&reply) }
                return true
            case .ask:
                miss.placement = Placement(asker: request.client, route: first)
                return false
            case .passOn:
                let labels = (route?.labelCount ?? 0) - 1
                route = snapshot.route(name, view: request.client.view, atMost: labels)
            case .delegate:
                route = Route(
                    kind: .delegation(delegation.zone),
                    labelCount: delegation.labelCount
                )
            case .follow:
                response.holder = Holder()
                route = routeOfName(in: snapshot)
            }
        }
    }

    /// Takes the asked name: from the answer that has come for it, where there is one, since that is known already.
    @inline(__always)
    private mutating func readName(
        _ message: Span<UInt8>,
        _ resolution: borrowing Resolution
    ) -> Bool {
        let asked = message.extracting(request.nameRange)
        if resolution.isAnswered, askedName.isWritten(asked) {
            name.copy(askedName)
            return true
        }
        return name.read(asked, at: 0)
    }

    /// Who answers the current name: the longest match, but for DS.
    @inline(__always)
    private func routeOfName(
        in snapshot: borrowing CompiledSnapshot
    ) -> Route? {
        let view = request.client.view
        guard request.type == .ds else { return snapshot.route(name, view: view) }
        return snapshot.route(toDelegationOf: name, recurses: request.isRecursive, view: view)
    }

    /// Answers with an error alone.
    mutating func fail(
        _ rcode: ResponseCode,
        _ error: ExtendedError?,
        in reply: inout ReplyWriter
    ) {
        response.fail(rcode, error, in: &reply, questionEnd: request.questionEnd)
    }

    /// REFUSED, unless a zone has the name and let others tell of a type that nobody may tell of.
    private mutating func refuse(
        in snapshot: borrowing CompiledSnapshot,
        into reply: inout ReplyWriter
    ) {
        guard let holder = response.holder.zone else { return response.rcode = .refused }
        claimAuthority()
        _ = writeNegative(zone: snapshot.zone(holder), in: snapshot, into: &reply)
    }
}
