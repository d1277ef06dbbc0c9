public import DNSWire
import Snapshot

/// An upstream's answer in the form in which it is kept: scrubbed, and ready to stand behind a question.
///
/// The payload, all numbers big-endian:
///
///      0  rcode        8     1  flags        8
///      2  answers     16     4  authorities 16
///      6  TTLs        16     8  aliases     16
///     10  per TTL: its place in the body    16
///         per alias: place of its target's name, answers up to it, end of them in the body: 3 x 16
///         the body: the records, encoded as if behind a header and the asked name's question
///
/// In front of the records of an alias chain stands nothing but that chain, so the body cut at an
/// alias's end is an answer as well. Every access is checked: a payload is data, not structure.
public struct CachedResponse: Sendable, BitwiseCopyable {
    public let rcode: ResponseCode
    public let isAuthentic: Bool
    /// Private addresses were taken out of it.
    public let isStripped: Bool
    /// What addresses it has, hints included.
    let addressKinds: AddressKinds
    public let answerCount: UInt16
    public let authorityCount: UInt16
    /// CNAMEs of the chain; the CNAME that a DNAME makes is one.
    public let aliasCount: Int
    let ttlCount: Int

    static let headerSize = 10
    static let authentic: UInt8 = 1
    static let stripped: UInt8 = 2

    /// Reads the numbers in front; nil for anything that is no payload.
    public init?(_ payload: Span<UInt8>) {
        guard let first = payload.bigEndian64(at: 0), let aliases = payload.bigEndian16(at: 8)
        else { return nil }
        let flags = UInt8(truncatingIfNeeded: first >> 48)
        rcode = ResponseCode(rawValue: UInt16(truncatingIfNeeded: first >> 56))
        isAuthentic = flags & Self.authentic != 0
        isStripped = flags & Self.stripped != 0
        addressKinds = AddressKinds(rawValue: flags).intersection(.all)
        answerCount = UInt16(truncatingIfNeeded: first >> 32)
        authorityCount = UInt16(truncatingIfNeeded: first >> 16)
        ttlCount = Int(first & 0xFFFF)
        aliasCount = Int(aliases)
        guard bodyStart <= payload.count else { return nil }
    }

    /// Writes the octets in front of the places, the counts of which they tell.
    @inline(__always)
    static func writeHeader(
        rcode: ResponseCode,
        flags: UInt8,
        answers: UInt16,
        authorities: UInt16 = 0,
        ttls: UInt16,
        aliases: UInt16 = 0,
        into payload: inout ReplyWriter
    ) {
        payload.write8(UInt8(truncatingIfNeeded: rcode.rawValue))
        payload.write8(flags)
        payload.write16(answers)
        payload.write16(authorities)
        payload.write16(ttls)
        payload.write16(aliases)
    }

    /// It has no records of what was asked for.
    var isNegative: Bool { answerCount == 0 }

    /// The name that was asked for does not exist, whatever the type (RFC 2308 §5).
    ///
    /// Behind aliases the denial is of the last name, which was not asked for: nothing is concluded from it.
    var deniesName: Bool { rcode == .nonexistentDomain && isNegative }

    private var aliasesStart: Int { Self.headerSize + 2 * ttlCount }
    var bodyStart: Int { aliasesStart + 6 * aliasCount }

    /// Where the chain may be cut: behind which answer, and where that is in the body.
    struct Cut {
        var answerCount: UInt16
        var bodyLength: Int
        /// The place of the alias's target in the message that the body belongs to.
        var target: Int
    }

    /// The cut behind alias `index`, counted from 0; nil where there is no such alias.
    func cut(_ index: Int, of payload: Span<UInt8>) -> Cut? {
        let place = aliasesStart + 6 * index
        guard index >= 0, index < aliasCount, let target = payload.bigEndian16(at: place),
            let answers = payload.bigEndian16(at: place + 2),
            let end = payload.bigEndian16(at: place + 4), bodyStart + Int(end) <= payload.count
        else { return nil }
        return Cut(answerCount: answers, bodyLength: Int(end), target: Int(target))
    }

    /// How the TTLs of a cached answer look now.
    enum Age {
        /// Seconds since it was stored.
        case seconds(UInt32)
        /// Past its time (RFC 8767 §4).
        case stale

        func remaining(of ttl: UInt32) -> UInt32 {
            switch self {
            case .seconds(let age): ttl > age ? ttl - age : 0
            case .stale: 30
            }
        }
    }

    /// Writes the body, to its end or to a cut, right behind the question it belongs to; returns how many
    /// answers and authorities these are.
    ///
    /// Of a body that does not fit, it writes as many whole records as do. `addresses` are those that this very
    /// payload has.
    func write(
        _ payload: Span<UInt8>,
        upTo cut: Cut?,
        age: Age,
        _ addresses: AddressRun,
        into reply: inout ReplyWriter
    ) -> (answers: UInt16, authorities: UInt16) {
        let start = reply.count
        let length = payload.count - bodyStart
        guard cut == nil, addresses.count == ttlCount, addresses.length == length,
            length <= reply.room, let ttl = payload.bigEndian32(at: bodyStart + 6)
        else {
            return writeRecords(payload, upTo: cut, age: age, addresses, into: &reply)
        }
        // What most answers are: addresses, which have one TTL.
        reply.write(payload, in: bodyStart..<payload.count, from: bodyStart + addresses.middle)
        let remaining = age.remaining(of: ttl)
        for number in 0..<addresses.count {
            reply.patch32(remaining, at: start + addresses.stride * number + 6)
        }
        return (answerCount, authorityCount)
    }

    /// The same for records of any kind.
    @inline(never)
    private func writeRecords(
        _ payload: Span<UInt8>,
        upTo cut: Cut?,
        age: Age,
        _ addresses: AddressRun,
        into reply: inout ReplyWriter
    ) -> (answers: UInt16, authorities: UInt16) {
        let start = reply.count
        let length = cut?.bodyLength ?? payload.count - bodyStart
        let isWhole = length <= reply.room
        let (end, records) =
            isWhole ? (length, ttlCount) : fitting(reply.room, of: length, payload)
        writeBody(payload, upTo: end, addresses, into: &reply)
        for index in 0..<records {
            // Where addresses were rotated, another one's TTL is here, and it is the same.
            guard let place = payload.bigEndian16(at: Self.headerSize + 2 * index).map(Int.init),
                let ttl = payload.bigEndian32(at: bodyStart + place),
                start + place + 4 <= reply.count
            else { break }
            reply.patch32(age.remaining(of: ttl), at: start + place)
        }
        if isWhole {
            return (cut?.answerCount ?? answerCount, cut == nil ? authorityCount : 0)
        }
        reply.close(at: reply.count)
        let answers = min(UInt16(truncatingIfNeeded: records), answerCount)
        return (answers, UInt16(truncatingIfNeeded: records) - answers)
    }

    /// How many whole records of the first `length` octets of the body fit into `room`, and where they end.
    private func fitting(
        _ room: Int,
        of length: Int,
        _ payload: Span<UInt8>
    ) -> (end: Int, records: Int) {
        var (end, records) = (0, 0)
        while records < ttlCount, let next = recordEnd(records, of: payload), next > end,
            next <= min(room, length)
        {
            (end, records) = (next, records + 1)
        }
        return (end, records)
    }

    /// Where a record ends in the body.
    private func recordEnd(_ index: Int, of payload: Span<UInt8>) -> Int? {
        guard let place = payload.bigEndian16(at: Self.headerSize + 2 * index).map(Int.init),
            let length = payload.bigEndian16(at: bodyStart + place + 4)
        else { return nil }
        return place + 6 + Int(length)
    }

    /// Writes the first `length` octets of the body, its addresses rotated.
    private func writeBody(
        _ payload: Span<UInt8>,
        upTo length: Int,
        _ addresses: AddressRun,
        into reply: inout ReplyWriter
    ) {
        let run = addresses.start..<addresses.start + addresses.length
        guard addresses.rotation > 0, run.lowerBound < length else {
            return reply.write(payload, in: bodyStart..<bodyStart + length)
        }
        let (end, middle) = (reply.count + length, addresses.middle)
        write(payload, 0..<run.lowerBound, upTo: end, into: &reply)
        write(payload, middle..<run.upperBound, upTo: end, into: &reply)
        write(payload, run.lowerBound..<middle, upTo: end, into: &reply)
        write(payload, run.upperBound..<max(length, run.upperBound), upTo: end, into: &reply)
    }

    /// Writes a part of the body, as far as it ends at `end` of the reply at the latest.
    private func write(
        _ payload: Span<UInt8>,
        _ part: Range<Int>,
        upTo end: Int,
        into reply: inout ReplyWriter
    ) {
        let start = bodyStart + part.lowerBound
        reply.write(payload, in: start..<start + min(part.count, end - reply.count))
    }

    /// True if `isMeant` is true of the rdata of one of the records, given as a place in the payload.
    @inline(__always)
    func hasRecord(
        _ payload: Span<UInt8>,
        where isMeant: (Span<UInt8>, Range<Int>, RecordType) -> Bool
    ) -> Bool {
        for index in 0..<ttlCount {
            guard let place = payload.bigEndian16(at: Self.headerSize + 2 * index),
                let type = payload.bigEndian16(at: bodyStart + Int(place) - 4),
                let length = payload.bigEndian16(at: bodyStart + Int(place) + 4)
            else { return true }
            let rdata = bodyStart + Int(place) + 6
            guard rdata + Int(length) <= payload.count else { return true }
            if isMeant(payload, rdata..<rdata + Int(length), RecordType(rawValue: type)) {
                return true
            }
        }
        return false
    }

    /// True if there is a signature of RRsets of a type.
    func isSigned(_ payload: Span<UInt8>, type: RecordType) -> Bool {
        hasRecord(payload) { $2 == .rrsig && $0.bigEndian16(at: $1.lowerBound) == type.rawValue }
    }

    /// Puts the message that the body belongs to together in `message`.
    ///
    /// That is a header, the name's question and the records. Returns its length, 0 if it does not fit.
    @unsafe func assemble(
        _ payload: Span<UInt8>,
        of name: borrowing FoldedName,
        _ addresses: AddressRun,
        into message: UnsafeMutableRawBufferPointer
    ) -> Int {
        // Sound: the caller's buffer, which nobody else uses meanwhile.
        var writer = unsafe ReplyWriter(message, limit: message.count)
        for _ in 0..<2 { writer.write16(0) }
        writer.write16(1)
        writer.write16(answerCount)
        writer.write16(authorityCount)
        writer.write16(0)
        name.withOctets { writer.write($0) }
        writer.write32(0)
        writeBody(payload, upTo: payload.count - bodyStart, addresses, into: &writer)
        return writer.isFull ? 0 : writer.count
    }
}

/// Address records of one RRset that stand in a row in a payload's body, each with a pointer for an owner; what
/// is rotated when they are written.
struct AddressRun: BitwiseCopyable, Sendable {
    /// The first one's place in the body.
    var start = 0
    var count = 0
    /// Octets of each record.
    var stride = 16
    /// The number of the one that comes first.
    var rotation = 0

    /// Octets of all of them.
    var length: Int { stride * count }
    /// Where the one that comes first stands in the body.
    var middle: Int { start + stride * rotation }
}

extension CachedResponse {
    /// The addresses of the last name, if they are what was asked for; none of another type.
    @inline(__always)
    func addresses(of payload: Span<UInt8>, asked type: RecordType) -> AddressRun {
        guard type.isAddress else { return AddressRun() }
        let run = AddressRun(count: Int(answerCount), stride: type == .a ? 16 : 28)
        if aliasCount == 0, run.length == payload.count - bodyStart { return run }
        return findAddresses(of: payload, type, stride: run.stride)
    }

    /// The same where other records are beside them: aliases in front, signatures and proofs behind.
    @inline(never)
    private func findAddresses(
        of payload: Span<UInt8>,
        _ type: RecordType,
        stride: Int
    ) -> AddressRun {
        let last = cut(aliasCount - 1, of: payload)
        var run = AddressRun(start: last?.bodyLength ?? 0, stride: stride)
        let most = Int(answerCount) - Int(last?.answerCount ?? 0)
        while run.count < most {
            let record = bodyStart + run.start + run.length
            guard record + stride <= payload.count, payload[record] >= 0xC0,
                payload.bigEndian16(at: record + 2) == type.rawValue,
                payload.bigEndian16(at: record + 10) == UInt16(truncatingIfNeeded: stride - 12)
            else { break }
            run.count += 1
        }
        return run
    }
}

extension ResponseScrubber.Result {
    /// Notes in the payload's flags what addresses it has.
    mutating func noteAddresses() {
        var kinds: AddressKinds = []
        _ = CachedResponse(payload.span)?.hasRecord(payload.span) { octets, rdata, type in
            octets.holdsAddress(rdata, of: type) { address in
                kinds.formUnion(AddressKinds(address))
                return false
            }
        }
        payload[1] |= kinds.rawValue
    }
}
