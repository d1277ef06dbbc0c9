import DNSWire
import Snapshot
import Upstream

/// Stage: answers one name with an upstream's answer, new or cached, or finds what to ask.
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
                // Sound: no answer is taken while this one is written.
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
            // Sound: the cache wrote `length` octets, and only this pipeline uses the memory.
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
        // REFUSED makes the previous server in the loop ask another upstream.
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
        // Sound: only this pipeline uses the memory.
        unsafe cache.read(
            key,
            name,
            into: payloadMemory,
            refreshTime: mayRefresh && !isToBeRefreshed ? now : nil
        )
    }

    /// Reads the NXDOMAIN of the name, if `entry` for the question's type has expired or is
    /// missing.
    ///
    /// If both have expired, it returns the one that was stored last.
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
        // The memory may have been overwritten by the other entry.
        return read(CacheKey(question, name), now: now)
    }

    /// Refuses a query without RD, since upstream data is only for recursive queries
    /// (RFC 1034 §4.3.1).
    ///
    /// Aliases that were written before are still sent.
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

    /// Answers ANY for a public name with a HINFO record that explains it (RFC 8482 §4.2).
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

    /// Finds an earlier answer to this question.
    static func answer(
        to question: UpstreamQuestion,
        about name: borrowing FoldedName,
        among answers: [FreshAnswer]
    ) -> FreshAnswer? {
        answers.last { $0.question == question && name.equals($0.name) }
    }

    /// Returns the age of an entry; nil if it must not be used.
    ///
    /// An expired entry is used only if `mayBeStale` is true, and only for a limited time.
    private func age(
        of entry: CachedEntry,
        now: UInt32,
        mayBeStale: Bool
    ) -> CachedResponse.Age? {
        guard now >= entry.expiresAt else {
            // Another worker, whose clock is a second ahead, may have stored the entry.
            return .seconds(now - min(entry.storedAt, now))
        }
        return mayBeStale && now - entry.expiresAt < cache.limits.stale ? .stale : nil
    }

    /// Writes an upstream's answer, as far as this client's routes lead to its rule.
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

    /// Rotates the current name's addresses, so that each comes first in turn.
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

    /// Takes the rcode of an upstream's answer, which is about the last name of a chain
    /// (RFC 6604 §3).
    ///
    /// If a zone or rule of the client is below the name, the name exists, and the reply must not
    /// deny it: a client may take NXDOMAIN for an answer about all names below (RFC 8020). NXDOMAIN
    /// with proofs is passed on unchanged.
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

    /// Writes an answer that has aliases, follows aliases, or has records to be withheld.
    ///
    /// It is cut at the first alias whose target another route answers.
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
        // Sound: `assemble` wrote `length` octets, and only this pipeline uses the memory.
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
            // A stored chain ends at an alias if the rule's zone does not include the target, so
            // the target is routed again. If the chain ends because private addresses were removed,
            // the target is not routed again.
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

    /// Returns true if the rule does not answer the alias target in `scratch`, which has this
    /// route.
    private func leadsElsewhere(_ route: Route?, than rule: RuleInForce, asked type: RecordType)
        -> Bool
    {
        switch rule {
        case .numbered(let number): route?.kind != .rule(number)
        case .delegation: !delegation.covers(scratch, route, asked: type)
        }
    }

    /// Writes the records of a message one by one, up to a cut or to the end.
    ///
    /// Names are written in full, except owners that are the current name. Returns the offset of
    /// the cut's target in the reply; nil if the message cannot be read, or does not fit.
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
                // Signatures may follow the CNAME, so the target need not be at the end.
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
