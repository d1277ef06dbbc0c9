import DNSWire
import Snapshot
import Upstream

/// Stage: answers one name from what an upstream said, just now or earlier; or says what to ask it.
extension Pipeline {
    mutating func answerFromCache(
        rule: RuleInForce,
        in snapshot: borrowing CompiledSnapshot,
        knowing resolution: borrowing Resolution,
        into reply: inout ReplyWriter,
        missing miss: inout Miss
    ) -> Step {
        guard request.isRecursive else {
            return refuseToRecurse(into: &reply)
        }
        if request.type == .any { return answerAny(into: &reply) }
        let question = UpstreamQuestion(
            routeID: routeID(of: rule, in: snapshot),
            type: request.type,
            dnssecOK: request.dnssecOK,
            checkingDisabled: request.checkingDisabled
        )

        if resolution.isAnswered, latest.question == question, name.equals(askedName) {
            return write(
                // Sound: nothing is taken while it is written.
                unsafe Span(_unsafeBytes: latest.payload),
                age: .seconds(0),
                rule: rule,
                in: snapshot,
                into: &reply
            )
        }
        if let earlier = Self.answer(to: question, about: name, among: resolution.earlier) {
            return write(
                earlier.payload.span,
                age: .seconds(0),
                rule: rule,
                in: snapshot,
                into: &reply
            )
        }
        let mayBeStale = resolution.acceptsStale || resolution.failure != nil
        var entry = read(CacheKey(question, name), now: request.now)
        if entry.map({ request.now >= $0.expiresAt }) ?? true {
            entry = readAbsence(
                question,
                insteadOf: entry,
                mayBeStale: mayBeStale,
                now: request.now
            )
        }
        if entry?.isToBeRefreshed ?? false {
            miss.note(question, name, of: rule)
            isToBeRefreshed = true
        }
        if let entry, let age = age(of: entry, now: request.now, mayBeStale: mayBeStale) {
            // Sound: the cache wrote `length` octets, and nobody else has the pipeline's memory.
            let payload = unsafe Span<UInt8>(
                _unsafeBytes: UnsafeRawBufferPointer(rebasing: payloadMemory[..<entry.length])
            )
            return write(
                payload,
                age: age,
                rule: rule,
                in: snapshot,
                into: &reply
            )
        }
        guard let failure = resolution.failure else {
            miss.note(question, name, of: rule)
            return .ask
        }
        // Whoever asks in a circle is to turn to somebody else.
        let rcode: ResponseCode = failure.error == .forwardingLoop ? .refused : .serverFailure
        let isReported = failure.reported != nil
        fail(
            rcode,
            isReported ? nil : failure.error,
            in: &reply
        )
        response.passesOnErrors = isReported
        return .done
    }

    /// Copies an entry into the pipeline's memory.
    @inline(__always)
    private func read(_ key: CacheKey, now: UInt32) -> CachedEntry? {
        // Sound: nobody else has the pipeline's memory.
        unsafe cache.read(
            key,
            name,
            into: payloadMemory,
            refreshTime: mayRefresh && !isToBeRefreshed ? now : nil
        )
    }

    /// The name's NXDOMAIN where what it had of the question's type, `entry`, has expired, or was never known.
    ///
    /// Of two that have expired the one that was learnt last counts.
    @inline(never)
    private func readAbsence(
        _ question: UpstreamQuestion,
        insteadOf entry: CachedEntry?,
        mayBeStale: Bool,
        now: UInt32
    ) -> CachedEntry? {
        let absence = read(CacheKey(absenceFor: question, name), now: now)
        guard mayBeStale, let entry else { return absence }
        if let absence, now < absence.expiresAt || absence.storedAt > entry.storedAt {
            return absence
        }
        // The memory has been written to since.
        return read(CacheKey(question, name), now: now)
    }

    /// What an upstream knows is for those alone who ask for recursion (RFC 1034 §4.3.1); an alias that led
    /// here is told to all.
    private mutating func refuseToRecurse(
        into reply: inout ReplyWriter
    ) -> Step {
        guard response.answerCount == 0 else { return .done }
        fail(
            .refused,
            .notAuthoritative,
            in: &reply
        )
        return .done
    }

    /// RFC 8482 §4.2: a public name has a HINFO record that tells what becomes of ANY.
    private mutating func answerAny(into reply: inout ReplyWriter) -> Step {
        let start = reply.count
        writeOwner(suffix: 0, into: &reply)
        reply.write16(RecordType.hinfo.rawValue)
        reply.write16(ApplyPolicy.internet)
        reply.write32(3600)
        let cpu: StaticString = "RFC8482"
        reply.write16(UInt16(truncatingIfNeeded: cpu.utf8CodeUnitCount + 2))
        reply.write8(UInt8(truncatingIfNeeded: cpu.utf8CodeUnitCount))
        cpu.withUTF8Buffer { unsafe reply.write($0.span) }
        reply.write8(0)
        if endRecord(from: start, in: &reply) { response.answerCount &+= 1 }
        return .done
    }

    /// An answer that came for this very question before others.
    static func answer(
        to question: UpstreamQuestion,
        about name: borrowing FoldedName,
        among answers: [FreshAnswer]
    ) -> FreshAnswer? {
        answers.last { $0.question == question && name.equals($0.name) }
    }

    /// How old an entry is, if it may be used: for as long as it lives, and beyond that only where the
    /// alternative is worse.
    private func age(
        of entry: CachedEntry,
        now: UInt32,
        mayBeStale: Bool
    ) -> CachedResponse.Age? {
        guard now >= entry.expiresAt else {
            // Another worker, whose clock is a second ahead, may have stored it.
            return .seconds(now - min(entry.storedAt, now))
        }
        return mayBeStale && now - entry.expiresAt < cache.limits.stale ? .stale : nil
    }

    /// Writes an upstream's answer, as far as this client's routes let its rule speak.
    private mutating func write(
        _ payload: Span<UInt8>,
        age: CachedResponse.Age,
        rule: RuleInForce,
        in snapshot: borrowing CompiledSnapshot,
        into reply: inout ReplyWriter
    ) -> Step {
        guard let cached = CachedResponse(payload) else {
            fail(
                .serverFailure,
                .invalidData,
                in: &reply
            )
            return .done
        }
        if let holder = response.holder.zone, response.holder.contradicts(cached) {
            claimAuthority()
            return writeNegative(zone: snapshot.zone(holder), in: snapshot, into: &reply)
        }
        if case .stale = age {
            response.error =
                cached.rcode == .nonexistentDomain ? .staleNonexistentDomain : .staleAnswer
            response.passesOnErrors = true
        }
        if cached.isStripped { response.error = .blocked }
        response.withheld = []
        if mayWithhold(of: cached, in: snapshot) {
            response.withheld = withheld(
                of: payload,
                cached,
                rule: rule,
                in: snapshot
            )
        }
        let isFirst = reply.count == request.questionEnd
        response.isAuthentic =
            cached.isAuthentic && response.error == nil && (isFirst || response.isAuthentic)
        let isRenamed = rule == .delegation && delegation.isRenamed
        let isWhole = response.withheld.isEmpty && isFirst && !isRenamed
        if cached.aliasCount == 0, isWhole {
            let addresses = turned(cached.addresses(of: payload, asked: request.type), request.type)
            count(cached.write(payload, upTo: nil, age: age, addresses, into: &reply))
            return end(with: cached, in: snapshot)
        }
        return writeChain(
            payload,
            cached,
            age: age,
            rule: rule,
            isWhole: isWhole,
            in: snapshot,
            into: &reply
        )
    }

    /// The current name's addresses, the one in front whose turn it is.
    @inline(__always)
    private mutating func turned(_ addresses: AddressRun, _ type: RecordType) -> AddressRun {
        guard addresses.count > 1 else { return addresses }
        var turned = addresses
        let key = name.hash(ofSuffix: 0) ^ UInt64(type.rawValue)
        turned.rotation = turns.next(key, among: addresses.count)
        return turned
    }

    private mutating func count(_ written: (answers: UInt16, authorities: UInt16)) {
        response.answerCount &+= written.answers
        response.authorityCount &+= written.authorities
    }

    /// Takes the rcode of an upstream's answer, which is about the last name of a chain (RFC 6604 §3).
    ///
    /// Where a zone or rule of the client's is below a name, the name exists, and a client that takes NXDOMAIN
    /// for an answer about all names below (RFC 8020) must not hear it; a proof of it says what it says.
    private mutating func end(
        with cached: CachedResponse,
        in snapshot: borrowing CompiledSnapshot
    ) -> Step {
        response.rcode = cached.rcode
        if cached.rcode == .nonexistentDomain, cached.aliasCount == 0, cached.authorityCount <= 1,
            snapshot.hasRoute(below: name, type: request.type, view: request.client.view)
        {
            trace?.record(.existsElsewhere(name.name))
            response.rcode = .noError
        }
        return .done
    }

    /// An answer with aliases, behind aliases, or of which something is withheld: cut at the first alias that leads elsewhere.
    private mutating func writeChain(
        _ payload: Span<UInt8>,
        _ cached: CachedResponse,
        age: CachedResponse.Age,
        rule: RuleInForce,
        isWhole: Bool,
        in snapshot: borrowing CompiledSnapshot,
        into reply: inout ReplyWriter
    ) -> Step {
        let (type, view) = (request.type, request.client.view)
        let addresses = turned(cached.addresses(of: payload, asked: type), type)
        let length = unsafe cached.assemble(
            payload,
            of: name,
            addresses,
            into: messageMemory
        )
        // Sound: `assemble` wrote `length` octets, and nobody else has the pipeline's memory.
        let message = unsafe Span<UInt8>(
            _unsafeBytes: UnsafeRawBufferPointer(rebasing: messageMemory[..<length])
        )
        var cut: CachedResponse.Cut?
        for index in 0..<cached.aliasCount {
            guard let candidate = cached.cut(index, of: payload),
                scratch.read(message, at: candidate.target)
            else { break }
            let route =
                type == .ds
                ? snapshot.route(toDelegationOf: scratch, recurses: true, view: view)
                : snapshot.route(scratch, view: view)
            // The chain as stored ends at an alias that its rule has no say about.
            // What was taken out of one is not asked for again.
            let isLast =
                candidate.answerCount == cached.answerCount && cached.authorityCount == 0
                && !cached.isStripped
            if leadsElsewhere(route, than: rule, asked: type) || isLast {
                cut = candidate
                break
            }
            response.aliasCount += 1
        }
        var place = cut?.target ?? 0
        if isWhole {
            count(cached.write(payload, upTo: cut, age: age, addresses, into: &reply))
        } else {
            let target = writeEach(
                message,
                upTo: cut,
                age: age,
                rule: rule,
                in: snapshot,
                into: &reply
            )
            guard let target else { return .done }
            place = target
        }
        guard !reply.isFull else { return .done }
        guard cut != nil else {
            return end(with: cached, in: snapshot)
        }
        response.isAuthentic = false
        if case .numbered(let number) = rule,
            snapshot.rules[number].privateAnswers.areStripped(for: name)
        {
            response.blocksPrivate = true
        }
        name.copy(scratch)
        response.nameOffset = place
        return .follow
    }

    /// True if the alias target in `scratch`, which is routed so, is not the rule's to tell of.
    private func leadsElsewhere(_ route: Route?, than rule: RuleInForce, asked type: RecordType)
        -> Bool
    {
        switch rule {
        case .numbered(let number): route?.kind != .rule(number)
        case .delegation: !delegation.covers(scratch, route, asked: type)
        }
    }

    /// Writes a message's records up to a cut, or all, one by one behind what is there: every name in full,
    /// but for owners that are the current name.
    ///
    /// Returns where the cut's target stands then; nil if the message can't be read.
    private mutating func writeEach(
        _ message: Span<UInt8>,
        upTo cut: CachedResponse.Cut?,
        age: CachedResponse.Age,
        rule: RuleInForce,
        in snapshot: borrowing CompiledSnapshot,
        into reply: inout ReplyWriter
    ) -> Int? {
        var whole = reply.count
        do throws(WireError) {
            var reader = try MessageReader(message)
            try reader.skipQuestion(of: message)
            var (written, target) = (UInt16(0), 0)
            while written < cut?.answerCount ?? .max, let record = try reader.next(in: message) {
                written += 1
                guard
                    !withholds(
                        record,
                        of: message,
                        rule: rule,
                        in: snapshot
                    )
                else { continue }
                if message.bigEndian16(at: record.owner) == 0xC000 | UInt16(Header.size) {
                    writeOwner(suffix: 0, into: &reply)
                } else {
                    try reply.writeName(of: message, at: record.owner)
                }
                try write(record, of: message, age: age, into: &reply)
                guard endRecord(from: whole, in: &reply) else { return nil }
                whole = reply.count
                if record.section == .answer {
                    response.answerCount &+= 1
                } else {
                    response.authorityCount &+= 1
                }
                // A CNAME's signatures may stand behind it.
                if record.rdata == cut?.target { target = reply.count - record.rdataLength }
            }
            return target
        } catch {
            reply.rewind(to: whole)
            return nil
        }
    }

    private func write(
        _ record: MessageReader.Record,
        of message: Span<UInt8>,
        age: CachedResponse.Age,
        into reply: inout ReplyWriter
    ) throws(WireError) {
        reply.write16(record.type.rawValue)
        reply.write16(record.recordClass)
        reply.write32(age.remaining(of: record.ttl))
        // Names in stored rdata are never compressed.
        reply.write16(UInt16(truncatingIfNeeded: record.rdataLength))
        reply.write(message, in: record.rdata..<record.rdataEnd)
    }
}
