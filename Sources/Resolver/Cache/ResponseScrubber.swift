package import DNSWire

/// Takes from an upstream's message what answers the question, and nothing else.
///
/// Kept are the records of the question's alias chain, in its order, as far as the rule's zone reaches
/// (RFC 5452 §6, RFC 2181 §5.4.1): the upstream of `corp.example` has no say about other names. Then the
/// RRset asked for with its signatures, or for a negative answer the SOA of a zone that encloses the
/// name, with the proofs. The additional section is not kept.
package struct ResponseScrubber {
    private let question: UpstreamQuestion
    private let ruleZone: DomainName
    private let limits: TTLLimits
    private var answers: [Candidate] = []
    private var authorities: [Candidate] = []

    /// Aliases that an answer may hold.
    private static let aliasLimit = 16
    /// Records that are looked at; an answer to one question has no use for more.
    private static let recordLimit = 4096

    private struct Candidate {
        var owner: DomainName
        var record: MessageReader.Record
    }

    package struct Result: Sendable {
        /// For the cache, and for those who wait.
        package var payload: [UInt8]
        /// Seconds that it may be used; 0: by those who wait alone.
        package var lifetime: UInt32
    }

    /// Scrubs a response whose ID, flags and question have been matched.
    ///
    /// `name` is the asked name. Responses that are no answer (SERVFAIL, REFUSED, a referral …) are
    /// errors: another upstream may do better.
    package static func scrub(
        _ message: Span<UInt8>,
        answering question: UpstreamQuestion,
        name: DomainName,
        ruleZone: DomainName,
        limits: TTLLimits
    ) throws(ScrubError) -> Result {
        var scrubber = ResponseScrubber(question: question, ruleZone: ruleZone, limits: limits)
        let result: Swift.Result<Result, ScrubError>
        do throws(WireError) {
            result = try scrubber.run(message, name)
        } catch {
            throw .malformed
        }
        return try result.get()
    }

    private init(question: UpstreamQuestion, ruleZone: DomainName, limits: TTLLimits) {
        self.question = question
        self.ruleZone = ruleZone
        self.limits = limits
    }

    private mutating func run(
        _ message: Span<UInt8>,
        _ name: DomainName
    ) throws(WireError) -> Swift.Result<Result, ScrubError> {
        var reader = try MessageReader(message)
        guard reader.rcode == .noError || reader.rcode == .nonexistentDomain else {
            return .failure(.failed(reader.rcode))
        }
        guard reader.questionCount == 1 else { return .failure(.malformed) }
        try reader.skipQuestion(of: message)
        var count = 0
        while let record = try reader.next(in: message) {
            count += 1
            guard count <= Self.recordLimit else { return .failure(.tooLarge) }
            guard record.recordClass == ApplyPolicy.internet else { continue }
            let candidate = Candidate(owner: try message.name(at: record.owner), record: record)
            switch record.section {
            case .answer: answers.append(candidate)
            case .authority: authorities.append(candidate)
            case .additional: break
            }
        }
        return try assemble(message, name, reader)
    }

    /// Follows the chain and writes what belongs to it.
    private func assemble(
        _ message: Span<UInt8>,
        _ name: DomainName,
        _ reader: MessageReader
    ) throws(WireError) -> Swift.Result<Result, ScrubError> {
        var body = ScrubbedBody(name)
        var current = name
        var seen: Set<DomainName> = [name]
        while !isAnswered(current), let (alias, target) = try alias(of: current, in: message) {
            guard body.aliasCount < Self.aliasLimit, seen.insert(target).inserted else {
                return .failure(.endlessChain)
            }
            for candidate in alias {
                try body.append(
                    candidate.record,
                    owner: candidate.owner,
                    bound(candidate),
                    of: message,
                    to: .answer
                )
            }
            if alias.contains(where: { $0.record.type == .cname }) {
                body.endAlias(target)
            } else {
                body.appendSynthesised(from: current, to: target, ttl: bound(alias[0]))
            }
            current = target
            // What lies beyond the rule's zone is another rule's to say.
            guard current.isInside(ruleZone) else {
                return .success(body.finish(rcode: .noError, isAuthentic: false))
            }
        }
        for candidate in answers where belongs(candidate, to: current) {
            try body.append(
                candidate.record,
                owner: candidate.owner,
                bound(candidate),
                of: message,
                to: .answer
            )
        }
        let isPositive = isAnswered(current)
        if isPositive, reader.rcode != .noError { return .failure(.malformed) }
        if !isPositive {
            if isReferral(of: current) { return .failure(.referral) }
            try appendProof(of: current, from: message, to: &body)
        }
        let isAuthentic = reader.flags & Header.Flag.authenticData != 0
        guard body.fits else { return .failure(.tooLarge) }
        return .success(body.finish(rcode: reader.rcode, isAuthentic: isAuthentic))
    }

    private func bound(_ candidate: Candidate) -> UInt32 { limits.bound(candidate.record.ttl) }

    /// True if there is a record at `name` of the type asked for.
    private func isAnswered(_ name: DomainName) -> Bool {
        answers.contains { candidate in
            candidate.owner == name
                && (candidate.record.type == question.type || question.type == .any)
        }
    }

    private func belongs(_ candidate: Candidate, to name: DomainName) -> Bool {
        guard candidate.owner == name else { return false }
        return candidate.record.type == question.type || question.type == .any
            || candidate.record.type == .rrsig && isAnswered(name)
    }

    /// The CNAME at `name`, or the DNAME above it, with signatures; and where it leads.
    private func alias(
        of name: DomainName,
        in message: Span<UInt8>
    ) throws(WireError) -> (records: [Candidate], target: DomainName)? {
        if let cname = answers.first(where: { $0.record.type == .cname && $0.owner == name }) {
            let target = try message.name(at: cname.record.rdata)
            return ([cname], target)
        }
        guard
            let dname = answers.first(where: {
                $0.record.type == .dname && $0.owner != name && name.isInside($0.owner)
                    && $0.owner.isInside(ruleZone)
            })
        else { return nil }
        let substitute = try message.name(at: dname.record.rdata)
        let kept = name.octets.count - dname.owner.octets.count
        guard let target = DomainName(octets: name.octets[..<kept] + substitute.octets) else {
            return nil
        }
        return ([dname], target)
    }

    /// An answer without records whose authority section names other servers, and no SOA.
    private func isReferral(of name: DomainName) -> Bool {
        !authorities.contains { $0.record.type == .soa }
            && authorities.contains { $0.record.type == .ns && $0.owner != ruleZone }
            && answers.isEmpty
    }

    /// The SOA of the enclosing zone (RFC 2308 §3) and, with DO, what proves the absence.
    private func appendProof(
        of name: DomainName,
        from message: Span<UInt8>,
        to body: inout ScrubbedBody
    ) throws(WireError) {
        let soa = authorities.first {
            $0.record.type == .soa && name.isInside($0.owner)
                && ($0.owner.isInside(ruleZone) || ruleZone.isInside($0.owner))
        }
        guard let soa else { return body.limitLifetime(to: 0) }
        guard soa.record.rdataLength >= 22,
            let minimum = message.bigEndian32(at: soa.record.rdataEnd - 4)
        else { throw .rdata(offset: soa.record.rdata) }
        let ttl = min(limits.bound(min(soa.record.ttl, minimum)), limits.negativeMaximum)
        try body.append(soa.record, owner: soa.owner, ttl, of: message, to: .authority)
        guard question.dnssecOK else { return }
        let proofs: Set<RecordType> = [.nsec, .nsec3, .rrsig]
        for candidate in authorities
        where proofs.contains(candidate.record.type) && candidate.owner.isInside(soa.owner) {
            try body.append(
                candidate.record,
                owner: candidate.owner,
                min(bound(candidate), ttl),
                of: message,
                to: .authority
            )
        }
    }
}

/// Limits of the lifetimes of cached answers, in seconds.
package struct TTLLimits: Hashable, Sendable, BitwiseCopyable {
    package var maximum: UInt32
    package var minimum: UInt32
    package var negativeMaximum: UInt32
    /// How long after its end an answer may still stand in for a dead upstream (RFC 8767).
    package var stale: UInt32

    package init(
        maximum: UInt32 = 86_400,
        minimum: UInt32 = 0,
        negativeMaximum: UInt32 = 3600,
        stale: UInt32 = 86_400
    ) {
        self.maximum = maximum
        self.minimum = minimum
        self.negativeMaximum = negativeMaximum
        self.stale = stale
    }

    /// A record's TTL as we use it: 2^31 and more count as 0 (RFC 2181 §8), the rest is bounded.
    func bound(_ ttl: UInt32) -> UInt32 {
        ttl >= 1 << 31 ? 0 : min(max(ttl, minimum), maximum)
    }
}

/// Why a response is no answer to be used.
package enum ScrubError: Error, Equatable, Sendable {
    /// It can't be read to its end.
    case malformed
    /// An rcode other than NOERROR and NXDOMAIN.
    case failed(ResponseCode)
    /// It names other servers: a forwarder's upstream answers itself.
    case referral
    /// An alias chain that loops, or is longer than any that makes sense.
    case endlessChain
    case tooLarge
}
