public import DNSWire
public import Snapshot
import Upstream

/// The path of a query through the stages; each thread owns a pipeline.
///
/// It holds the memory that a query needs, so that no memory is allocated per query. It has no
/// socket and no clock: the message, the time and the snapshot are passed in.
@safe public struct Pipeline: ~Copyable {
    /// The current name: the queried one, then the target of each alias.
    var name: FoldedName
    /// Records every decision, for `explain`; the server has none.
    public var trace: Trace?
    /// The time of day in seconds since 1970, for cookies; the owner updates it.
    public var timeOfDay: UInt32 = 0

    /// True if the owner refreshes cached answers that expire soon.
    public var mayRefresh = false
    /// Limits the replies to datagrams; nil if no datagrams are answered.
    public var limiter: ReplyLimiter?

    /// The number of upstream answers from which private addresses were removed.
    public internal(set) var strippedCount: UInt64 = 0
    /// The number of answers with addresses that are all down, since none was up.
    public internal(set) var failedOpenCount: UInt64 = 0

    let cache: ResponseCache
    /// True if an entry that expires soon was used; the miss has its question then.
    var isToBeRefreshed = false
    /// The query that is being answered.
    var request = Request()
    var response = Response()
    /// The answer that was taken last.
    var latest = LatestAnswer()
    /// The name that the last taken answer is about.
    public var askedName: FoldedName
    var scratch: FoldedName
    var target: FoldedName
    /// The delegation of a private zone that the current name is at or below.
    var delegation = Delegation()
    /// Which address comes first, so that clients spread over equal addresses.
    var turns = AddressTurns()

    /// The payload that was copied from the cache.
    let payloadMemory: UnsafeMutableRawBufferPointer
    /// The message that was assembled from a payload.
    let messageMemory: UnsafeMutableRawBufferPointer
    private let pinned = Pinned()

    /// `seed` is the process's hash seed, which the snapshot and the cache use, too.
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

    /// Answers one message from a client, or finds what has to be asked first.
    ///
    /// The verdict says which. It writes the answer to `reply`, and what has to be asked to `miss`.
    /// `now` is in seconds of the process's steady clock. The limit of `reply` has to be what the
    /// transport carries; the pipeline lowers it to what the client accepts.
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

    /// Answers a message from a client whose class is known already, as for `explain`.
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

    /// Answers each name of the alias chain; false if an upstream has to be asked first.
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

    /// Reads the queried name; copies it from the answer that arrived for it, since that saves the
    /// hashing.
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

    /// The route of the current name: the longest match, except for DS.
    @inline(__always)
    private func routeOfName(
        in snapshot: borrowing CompiledSnapshot
    ) -> Route? {
        let view = request.client.view
        guard request.type == .ds else { return snapshot.route(name, view: view) }
        return snapshot.route(toDelegationOf: name, recurses: request.isRecursive, view: view)
    }

    /// Answers with an error and no records.
    mutating func fail(
        _ rcode: ResponseCode,
        _ error: ExtendedError?,
        in reply: inout ReplyWriter
    ) {
        response.fail(rcode, error, in: &reply, questionEnd: request.questionEnd)
    }

    /// Answers REFUSED, or NODATA if a zone has the name and fell through (`fallthrough`).
    private mutating func refuse(
        in snapshot: borrowing CompiledSnapshot,
        into reply: inout ReplyWriter
    ) {
        guard let holder = response.holder.zone else { return response.rcode = .refused }
        claimAuthority()
        _ = writeNegative(zone: snapshot.zone(holder), in: snapshot, into: &reply)
    }
}
