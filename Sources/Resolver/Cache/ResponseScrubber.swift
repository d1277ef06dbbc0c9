public import DNSWire
public import Snapshot
public import Upstream

/// Takes from an upstream's message what answers the question, and drops everything else.
///
/// It keeps the records of the question's alias chain, in order, until the chain leaves the rule's
/// zone (RFC 5452 §6, RFC 2181 §5.4.1): the upstream of `corp.example` is not trusted for other
/// names. Behind the chain it keeps the queried RRset or, for a negative answer, the SOA of a zone
/// that encloses the name. With DO, it also keeps their signatures and proofs. It drops the
/// additional section. The work is linear in the size of the message.
public struct ResponseScrubber {
    private let question: UpstreamQuestion
    private let limits: TTLLimits
    private let stripsPrivate: Bool
    private let flags: UInt16
    private let rcode: ResponseCode
    private var names: NameTable
    private var answers: [Candidate] = []
    private var authorities: [Candidate] = []
    /// The names of the chain so far; the last one is the one to answer.
    private var chain: [NameTable.Number]
    /// The owners of the DNAMEs that the chain has used.
    ///
    /// Each DNAME is written once, even if several names of the chain are below it.
    private var dnameOwners: [NameTable.Number] = []
    /// The rule's zone, as a name of the message.
    private let zone: NameTable.Number
    private var body: ScrubbedBody

    /// The number of records that are read; an answer to one question needs no more.
    private static let recordLimit = 4096
    /// The number of records of the authority section that are kept; no proof needs more.
    private static let authorityLimit = 256

    private struct Candidate {
        var owner: NameTable.Number
        var record: MessageReader.Record

        var isSignature: Bool { record.type == .rrsig }
    }

    public struct Result: Sendable {
        /// The payload, for the cache and for the waiting clients.
        public var payload: [UInt8]
        /// Seconds for which the payload may be cached; 0 if it is for the waiting clients only.
        public var lifetime: UInt32
        /// True if private addresses were removed.
        public var isStripped: Bool
    }

    /// Scrubs a response whose ID, flags and question have been matched.
    ///
    /// `name` is the queried name; `stripsPrivate` removes private addresses. A response that is no
    /// answer (SERVFAIL, REFUSED, a referral and others) is an error, so that another upstream can
    /// be asked.
    public static func scrub(
        _ message: Span<UInt8>,
        answering question: UpstreamQuestion,
        name: DomainName,
        ruleZone: DomainName,
        stripsPrivate: Bool = false,
        limits: TTLLimits
    ) throws(ScrubError) -> Result {
        do {
            var scrubber = try ResponseScrubber(
                reading: message,
                question,
                name,
                ruleZone,
                stripsPrivate,
                limits
            )
            var result = try scrubber.assemble(from: message)
            if question.type.hasAddresses { result.noteAddresses() }
            return result
        } catch let error as ScrubError {
            throw error
        } catch {
            throw .malformed
        }
    }

    // MARK: Reading

    private init(
        reading message: Span<UInt8>,
        _ question: UpstreamQuestion,
        _ name: DomainName,
        _ ruleZone: DomainName,
        _ stripsPrivate: Bool,
        _ limits: TTLLimits
    ) throws {
        var reader = try MessageReader(message)
        guard Self.answerCodes.contains(reader.rcode) else { throw ScrubError.failed(reader.rcode) }
        // The payload is encoded to follow the queried name's question.
        guard reader.questionCount == 1, try message.name(at: Header.size) == name else {
            throw ScrubError.malformed
        }
        try reader.skipQuestion(of: message)
        self.question = question
        self.limits = limits
        self.stripsPrivate = stripsPrivate
        flags = reader.flags
        names = NameTable(of: message)
        let asked = try names.number(ofNameAt: Header.size, in: message)
        chain = [asked]
        let line = names.line(of: asked)
        zone = line[min(ruleZone.labels.count, line.count - 1)]
        body = ScrubbedBody(behind: asked, of: names, in: message)
        var sections = (answers: [Candidate](), authorities: [Candidate]())
        rcode = try Self.read(&reader, message, &names, into: &sections)
        (answers, authorities) = sections
        guard Self.answerCodes.contains(rcode) else { throw ScrubError.failed(rcode) }
    }

    /// The rcodes of answers; YXDOMAIN says that a DNAME made a name too long (RFC 6672 §2.2).
    private static let answerCodes: [ResponseCode] = [.noError, .nonexistentDomain, .nameTooLong]

    /// Collects the records that may be needed; returns the rcode, including OPT's part of it.
    private static func read(
        _ reader: inout MessageReader,
        _ message: Span<UInt8>,
        _ names: inout NameTable,
        into sections: inout (answers: [Candidate], authorities: [Candidate])
    ) throws -> ResponseCode {
        var (count, rcode, hasOPT) = (0, reader.rcode, false)
        while let record = try reader.next(in: message) {
            count += 1
            guard count <= recordLimit else { throw ScrubError.tooLarge }
            if record.type == .opt {
                guard record.section == .additional, message[record.owner] == 0, !hasOPT else {
                    throw ScrubError.malformed
                }
                hasOPT = true
                rcode.rawValue |= UInt16(record.ttl >> 24) << 4
            }
            guard record.section != .additional, record.recordClass == ApplyPolicy.internet,
                record.section == .answer || sections.authorities.count < authorityLimit
            else { continue }
            let owner = try names.number(ofNameAt: record.owner, in: message)
            let candidate = Candidate(owner: owner, record: record)
            if record.section == .answer {
                sections.answers.append(candidate)
            } else {
                sections.authorities.append(candidate)
            }
        }
        return rcode
    }

    // MARK: The chain

    /// Follows the chain and writes the records that belong to it.
    private mutating func assemble(from message: Span<UInt8>) throws -> Result {
        var current = chain[0]
        while true {
            let here = answers.filter { $0.owner == current }
            let dname = dname(above: current)
            let asked = dname == nil ? try set(of: question.type, among: here, in: message) : []
            if asked.contains(where: isAsked) { return try finishPositive(asked, message) }
            switch try appendAlias(of: current, below: dname, among: here, message) {
            case .none: return try finishNegative(current, message)
            case .answer: return body.finish(rcode: .noError, isAuthentic: isAuthentic)
            case .stripped: return try finishStripped([], of: [], message)
            case .tooLong: return body.finish(rcode: .nameTooLong, isAuthentic: isAuthentic)
            case .target(let target):
                guard chain.count <= CompiledSnapshot.aliasLimit, !chain.contains(target) else {
                    throw ScrubError.endlessChain
                }
                chain.append(target)
                current = target
            }
            // The rule's upstream is not trusted for names outside of the rule's zone.
            guard names.isInside(current, zone) else {
                return body.finish(rcode: .noError, isAuthentic: false)
            }
        }
    }

    private var isAuthentic: Bool { flags & Header.Flag.authenticData != 0 }

    private enum Link {
        case none
        case target(NameTable.Number)
        /// The chain ends here: the question asks for the CNAME that a DNAME makes.
        case answer
        /// The target is `localhost`, so the alias is left out.
        case stripped
        /// The DNAME made a name of more than 255 octets.
        case tooLong
    }

    /// Appends the `dname` above `name`, or the CNAME at it, and returns where it leads.
    ///
    /// No names exist below a DNAME except those that it makes (RFC 6672 §2.4). So the server makes
    /// the CNAME itself, and ignores the one that the upstream sent with the DNAME.
    private mutating func appendAlias(
        of name: NameTable.Number,
        below dname: Candidate?,
        among here: [Candidate],
        _ message: Span<UInt8>
    ) throws -> Link {
        if let dname { return try append(dname, of: name, message) }
        let cnames = here.filter { $0.record.type == .cname }
        guard let target = try target(of: cnames, message) else { return .none }
        if stripsPrivate, isLocalhost(target, message) { return .stripped }
        let set = try set(of: .cname, among: here, in: message)
        try appendOnce(cnames[0], of: set, message)
        body.endAlias(target, names)
        return .target(target)
    }

    private mutating func append(
        _ dname: Candidate,
        of name: NameTable.Number,
        _ message: Span<UInt8>
    ) throws -> Link {
        let there = answers.filter { $0.owner == dname.owner }
        let dnames = there.filter { $0.record.type == .dname }
        guard let replacement = try target(of: dnames, message) else { return .none }
        let set = try set(of: .dname, among: there, in: message)
        if !dnameOwners.contains(dname.owner) {
            dnameOwners.append(dname.owner)
            // If the question asks for RRSIG, these signatures may be the answer at the end of the
            // chain.
            try appendOnce(dname, of: set, signed: question.type != .rrsig, message)
        }
        let target = names.substitute(replacement, for: dname.owner, in: name, of: message)
        guard let target else { return .tooLong }
        if stripsPrivate, isLocalhost(target, message) { return .stripped }
        try body.appendSynthesised(from: name, to: target, ttl: ttl(of: set), names, message)
        guard question.type != .cname else { return .answer }
        body.endAlias(target, names)
        return .target(target)
    }

    /// Finds the DNAME that is closest to the root among the ancestors of `name` in the rule's
    /// zone.
    ///
    /// Names below it do not exist, so a DNAME below it is ignored.
    private func dname(above name: NameTable.Number) -> Candidate? {
        let line = names.line(of: name).dropLast()
        let zoneLabels = names.labelCount(of: zone)
        var topmost: (labels: Int, dname: Candidate)?
        for candidate in answers where candidate.record.type == .dname {
            let labels = names.labelCount(of: candidate.owner)
            guard labels >= zoneLabels, labels < topmost?.labels ?? line.count,
                line[labels] == candidate.owner
            else { continue }
            topmost = (labels, candidate)
        }
        return topmost?.dname
    }

    /// Returns the target of the CNAMEs or DNAMEs of one owner; several targets are an error
    /// (RFC 2181 §10.1).
    private mutating func target(
        of aliases: [Candidate],
        _ message: Span<UInt8>
    ) throws -> NameTable.Number? {
        var target: NameTable.Number?
        for alias in aliases {
            let next = try names.number(ofNameAt: alias.record.rdata, in: message)
            guard target == nil || target == next else { throw ScrubError.malformed }
            target = next
        }
        return target
    }

    // MARK: RRsets

    /// Returns the records of a type among those of one owner and, with DO, their signatures.
    ///
    /// The records come first, so that addresses are adjacent. A record whose rdata does not fit
    /// its type is left out. The answer is malformed if no record is left, or if the rest is
    /// signed: without the record its signatures fail.
    private func set(
        of type: RecordType,
        among here: [Candidate],
        in message: Span<UInt8>
    ) throws(ScrubError) -> [Candidate] {
        let all = here.filter { candidate in
            candidate.record.type == type
                || question.dnssecOK && candidate.record.type == .rrsig
                    && message.bigEndian16(at: candidate.record.rdata) == type.rawValue
        }
        // An alias's target and the TTL of a negative answer depend on that one record. So a
        // malformed record of these types is kept, and makes the whole answer malformed.
        let isNeeded = [RecordType.cname, .dname, .soa].contains(type)
        let kept = all.filter {
            isNeeded && $0.record.type == type || RdataShape.fits($0.record, in: message)
        }
        let records = kept.filter { $0.record.type == type }
        let signatures = kept.filter { $0.record.type != type }
        guard records.count < all.count(where: { $0.record.type == type }) else {
            return records + signatures
        }
        guard !records.isEmpty, signatures.isEmpty else { throw .malformed }
        return records
    }

    /// Appends records, which all get the lowest of their TTLs.
    private mutating func append(
        _ set: [Candidate],
        atMost limit: UInt32 = .max,
        to section: MessageReader.Section,
        _ message: Span<UInt8>
    ) throws {
        let ttl = ttl(of: set, atMost: limit)
        for candidate in set {
            try body.append(candidate.record, candidate.owner, ttl, to: section, names, message)
        }
    }

    /// Appends an alias once, however often it is in its `set`, and its signatures.
    private mutating func appendOnce(
        _ alias: Candidate,
        of set: [Candidate],
        signed: Bool = true,
        _ message: Span<UInt8>
    ) throws {
        let kept = [alias] + (signed ? set.filter(\.isSignature) : [])
        try append(kept, atMost: ttl(of: set), to: .answer, message)
    }

    /// The TTL of all records of a set: the lowest one among them (RFC 2181 §5.2).
    private func ttl(of set: [Candidate], atMost limit: UInt32 = .max) -> UInt32 {
        set.reduce(limit) { min($0, limits.bound($1.record.ttl)) }
    }

    // MARK: Finishing

    private mutating func finishPositive(
        _ set: [Candidate],
        _ message: Span<UInt8>
    ) throws -> Result {
        guard rcode == .noError else { throw ScrubError.malformed }
        let kept = stripsPrivate ? set.filter { !$0.record.holdsPrivateAddress(in: message) } : set
        guard kept.count == set.count else {
            let isSigned = set.contains(where: \.isSignature)
            return try finishStripped(isSigned ? [] : kept, of: set, message)
        }
        if question.type == .cname || question.type == .dname,
            let alias = set.first(where: isAsked)
        {
            _ = try target(of: set.filter(isAsked), message)
            try appendOnce(alias, of: set, message)
        } else {
            try append(set, to: .answer, message)
        }
        // With DO, these prove that the answer was expanded from a wildcard (RFC 4035 §3.1.3.3).
        try append(try proofs(below: zone, in: message), to: .authority, message)
        return body.finish(rcode: rcode, isAuthentic: isAuthentic)
    }

    /// Appends the records of a set that are left; of a signed set, none are, since they would not
    /// validate.
    private mutating func finishStripped(
        _ kept: [Candidate],
        of set: [Candidate],
        _ message: Span<UInt8>
    ) throws -> Result {
        let ttl = ttl(of: set, atMost: limits.negativeMaximum)
        try append(kept, atMost: ttl, to: .answer, message)
        body.limitLifetime(to: ttl)
        return body.finish(rcode: .noError, isAuthentic: false, isStripped: true)
    }

    /// Returns true for `localhost` and the names below it, which the server answers itself
    /// (RFC 6761 §6.3).
    private func isLocalhost(_ name: NameTable.Number, _ message: Span<UInt8>) -> Bool {
        guard name != NameTable.root else { return false }
        let label = names.firstLabel(of: names.line(of: name)[1])
        return label.map { DomainName.fold(message[$0]) } == [9] + Array("localhost".utf8)
    }

    private func isAsked(_ candidate: Candidate) -> Bool {
        candidate.record.type == question.type
    }

    /// Appends the SOA of the enclosing zone (RFC 2308 §3) and, with DO, the proof of absence.
    ///
    /// Without an SOA the answer is for the waiting clients only. If it has NS records instead, it
    /// is a referral (§2.2), unless the rcode is NXDOMAIN (§2.1) or an alias was followed.
    private mutating func finishNegative(
        _ name: NameTable.Number,
        _ message: Span<UInt8>
    ) throws -> Result {
        guard rcode != .nameTooLong else { throw ScrubError.failed(rcode) }
        let line = names.line(of: name)
        let soa = authorities.first {
            let labels = names.labelCount(of: $0.owner)
            return $0.record.type == .soa && labels < line.count && line[labels] == $0.owner
        }
        if let soa {
            try appendProof(soa, message)
        } else {
            let isReferral = authorities.contains { $0.record.type == .ns }
            if isReferral, rcode == .noError, chain.count == 1 { throw ScrubError.referral }
            body.limitLifetime(to: 0)
        }
        return body.finish(rcode: rcode, isAuthentic: isAuthentic)
    }

    private mutating func appendProof(_ soa: Candidate, _ message: Span<UInt8>) throws {
        guard soa.record.rdataLength >= 22,
            let minimum = message.bigEndian32(at: soa.record.rdataEnd - 4)
        else { throw ScrubError.malformed }
        let limit = min(limits.bound(minimum), limits.negativeMaximum)
        let there = authorities.filter { $0.owner == soa.owner }
        let set = [soa] + (try set(of: .soa, among: there, in: message)).filter(\.isSignature)
        try append(set, atMost: limit, to: .authority, message)
        let isAbove = names.isInside(zone, soa.owner)
        let proofs = try proofs(below: isAbove ? soa.owner : zone, in: message)
        try append(proofs, atMost: ttl(of: set, atMost: limit), to: .authority, message)
    }

    /// Returns NSEC and NSEC3 with their signatures, for clients that validate.
    ///
    /// The server draws no conclusions from them.
    private func proofs(
        below top: NameTable.Number,
        in message: Span<UInt8>
    ) throws(ScrubError) -> [Candidate] {
        guard question.dnssecOK else { return [] }
        let there = authorities.filter { names.isInside($0.owner, top) }
        return try set(of: .nsec, among: there, in: message)
            + set(of: .nsec3, among: there, in: message)
    }
}

/// Limits of the lifetimes of cached answers, in seconds.
public struct TTLLimits: Hashable, Sendable, BitwiseCopyable {
    public var maximum: UInt32
    public var minimum: UInt32
    public var negativeMaximum: UInt32
    /// How long after its expiry an answer may be served stale (RFC 8767).
    public var stale: UInt32

    public init(
        maximum: UInt32 = CacheSettings().maxTTL,
        minimum: UInt32 = CacheSettings().minTTL,
        negativeMaximum: UInt32 = CacheSettings().negativeMaxTTL,
        stale: UInt32 = CacheSettings().serveStale
    ) {
        self.maximum = maximum
        self.minimum = minimum
        self.negativeMaximum = negativeMaximum
        self.stale = stale
    }

    /// Bounds a record's TTL; 2^31 and above count as 0 (RFC 2181 §8).
    func bound(_ ttl: UInt32) -> UInt32 {
        ttl >= 1 << 31 ? 0 : min(max(ttl, minimum), maximum)
    }
}

/// Why a response cannot be used as an answer.
public enum ScrubError: Error, Equatable, Sendable {
    /// It cannot be read to its end, or its records contradict each other.
    case malformed
    /// The rcode says that the upstream has no answer.
    case failed(ResponseCode)
    /// It refers to other servers; an upstream has to answer itself.
    case referral
    /// An alias chain that loops or is too long.
    case endlessChain
    case tooLarge
}
