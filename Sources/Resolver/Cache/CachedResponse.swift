public import DNSWire
import Snapshot

/// An upstream's answer in its cached form: scrubbed, and encoded to follow a question.
///
/// The payload, all numbers big-endian:
///
///      0  rcode        8     1  flags        8
///      2  answers     16     4  authorities 16
///      6  TTLs        16     8  aliases     16
///     10  for each TTL: its offset in the body    16
///         for each alias: offset of its target's name in the message, number of answers up to it,
///         offset of their end in the body    3 x 16
///         the body: the records, encoded to follow a header and the queried name's question
///
/// The aliases of a chain come first in the body, so a body that is cut after an alias is a valid
/// answer, too. Every access is bounds-checked, since the numbers in a payload are not trusted.
public struct CachedResponse: Sendable, BitwiseCopyable {
    public let rcode: ResponseCode
    public let isAuthentic: Bool
    /// True if private addresses were removed from the answer.
    public let isStripped: Bool
    /// The kinds of the answer's addresses, including hints of SVCB and HTTPS records.
    let addressKinds: AddressKinds
    public let answerCount: UInt16
    public let authorityCount: UInt16
    /// The number of CNAMEs in the chain, including those that a DNAME makes.
    public let aliasCount: Int
    let ttlCount: Int

    static let headerSize = 10
    static let authentic: UInt8 = 1
    static let stripped: UInt8 = 2

    /// Reads the leading fields; nil if `payload` is no payload.
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

    /// Writes the leading fields, which include the numbers of offsets that follow.
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

    /// True if the answer section is empty.
    var isNegative: Bool { answerCount == 0 }

    /// True if the queried name does not exist, whatever the type (RFC 2308 §5).
    ///
    /// After an alias, NXDOMAIN is about the last name of the chain and not about the queried one.
    /// Nothing is then concluded from it.
    var deniesName: Bool { rcode == .nonexistentDomain && isNegative }

    private var aliasesStart: Int { Self.headerSize + 2 * ttlCount }
    var bodyStart: Int { aliasesStart + 6 * aliasCount }

    /// Where the chain may be cut: the number of answers before the cut, and its offset in the
    /// body.
    struct Cut {
        var answerCount: UInt16
        var bodyLength: Int
        /// The offset of the alias's target in the message that the body belongs to.
        var target: Int
    }

    /// The cut after alias `index`, counted from 0; nil if there is no such alias.
    func cut(_ index: Int, of payload: Span<UInt8>) -> Cut? {
        let place = aliasesStart + 6 * index
        guard index >= 0, index < aliasCount, let target = payload.bigEndian16(at: place),
            let answers = payload.bigEndian16(at: place + 2),
            let end = payload.bigEndian16(at: place + 4), bodyStart + Int(end) <= payload.count
        else { return nil }
        return Cut(answerCount: answers, bodyLength: Int(end), target: Int(target))
    }

    /// The age of a cached answer, which determines the TTLs that are sent.
    enum Age {
        /// Seconds since it was stored.
        case seconds(UInt32)
        /// It has expired: its TTLs are sent as 30 seconds (RFC 8767 §4).
        case stale

        func remaining(of ttl: UInt32) -> UInt32 {
            switch self {
            case .seconds(let age): ttl > age ? ttl - age : 0
            case .stale: 30
            }
        }
    }

    /// Writes the body, up to its end or to a cut, directly after the question.
    ///
    /// If the body does not fit, it writes as many whole records as do. `addresses` are those of
    /// this payload. Returns the numbers of answer and authority records that were written.
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
        // The common case: addresses, which have one TTL.
        reply.write(payload, in: bodyStart..<payload.count, from: bodyStart + addresses.middle)
        let remaining = age.remaining(of: ttl)
        for number in 0..<addresses.count {
            reply.patch32(remaining, at: start + addresses.stride * number + 6)
        }
        return (answerCount, authorityCount)
    }

    /// Writes the body record by record, which works for records of any kind.
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
            // After a rotation, this is the TTL of another address, which has the same value.
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

    /// Returns how many whole records of the first `length` octets of the body fit into `room`, and
    /// the offset of their end.
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

    /// The offset in the body at which a record ends.
    private func recordEnd(_ index: Int, of payload: Span<UInt8>) -> Int? {
        guard let place = payload.bigEndian16(at: Self.headerSize + 2 * index).map(Int.init),
            let length = payload.bigEndian16(at: bodyStart + place + 4)
        else { return nil }
        return place + 6 + Int(length)
    }

    /// Writes the first `length` octets of the body with its addresses rotated.
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

    /// Writes a part of the body, cut at offset `end` of the reply.
    private func write(
        _ payload: Span<UInt8>,
        _ part: Range<Int>,
        upTo end: Int,
        into reply: inout ReplyWriter
    ) {
        let start = bodyStart + part.lowerBound
        reply.write(payload, in: start..<start + min(part.count, end - reply.count))
    }

    /// Returns true if `isMeant` is true for one of the records, or if the records cannot be read.
    ///
    /// `isMeant` gets the payload, the range of the rdata in it, and the record's type.
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

    /// Returns true if there is a signature of an RRset of this type.
    func isSigned(_ payload: Span<UInt8>, type: RecordType) -> Bool {
        hasRecord(payload) { $2 == .rrsig && $0.bigEndian16(at: $1.lowerBound) == type.rawValue }
    }

    /// Writes the complete message that the body belongs to: a header, the name's question and the
    /// records.
    ///
    /// Returns the length of the message, or 0 if it does not fit. The question's type and class
    /// are 0.
    @unsafe func assemble(
        _ payload: Span<UInt8>,
        of name: borrowing FoldedName,
        _ addresses: AddressRun,
        into message: UnsafeMutableRawBufferPointer
    ) -> Int {
        // Sound: the buffer is the caller's, and nothing else uses it during the call.
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

/// Adjacent address records of one RRset in a payload's body, each with a pointer for an owner.
///
/// They are rotated when they are written.
struct AddressRun: BitwiseCopyable, Sendable {
    /// The offset of the first record in the body.
    var start = 0
    var count = 0
    /// Octets of each record.
    var stride = 16
    /// The index of the record that is written first.
    var rotation = 0

    /// Octets of all records.
    var length: Int { stride * count }
    /// The offset in the body of the record that is written first.
    var middle: Int { start + stride * rotation }
}

extension CachedResponse {
    /// The addresses of the last name of the chain, if the query asked for addresses; else none.
    @inline(__always)
    func addresses(of payload: Span<UInt8>, asked type: RecordType) -> AddressRun {
        guard type.isAddress else { return AddressRun() }
        let run = AddressRun(count: Int(answerCount), stride: type == .a ? 16 : 28)
        if aliasCount == 0, run.length == payload.count - bodyStart { return run }
        return findAddresses(of: payload, type, stride: run.stride)
    }

    /// Finds the addresses among other records: aliases in front of them, signatures and proofs
    /// behind them.
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
    /// Sets the flags of the payload that say which kinds of addresses it has.
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
