import DNSWire
import Upstream

extension ResponseScrubber {
    /// Scrubs what most answers are: addresses of the asked name, each with a pointer to it for an owner.
    ///
    /// It makes what the whole scrubber makes of them, for a fraction of the work. Nil for all others,
    /// among them what is malformed.
    static func scrubPlain(
        _ message: Span<UInt8>,
        answering question: UpstreamQuestion,
        name: DomainName,
        limits: TTLLimits
    ) -> Result? {
        guard !question.dnssecOK, let size = question.type.addressSize,
            var reader = try? MessageReader(message), reader.rcode == .noError,
            reader.questionCount == 1, asks(message, for: name),
            let count = message.bigEndian16(at: 6), (1...64).contains(count),
            (try? reader.skipQuestion(of: message)) != nil
        else { return nil }
        var answers = reader
        guard let ttl = leastTTL(of: &reader, question.type, size, message, limits) else {
            return nil
        }
        let isAuthentic = reader.flags & Header.Flag.authenticData != 0
        var payload = plainHeader(count: count, size: size, isAuthentic: isAuthentic)
        for _ in 0..<count {
            guard let record = try? answers.next(in: message) else { return nil }
            payload.append(bigEndian: owner)
            payload.append(bigEndian: question.type.rawValue)
            payload.append(bigEndian: ApplyPolicy.internet)
            payload.append(bigEndian: UInt16(truncatingIfNeeded: ttl >> 16))
            payload.append(bigEndian: UInt16(truncatingIfNeeded: ttl))
            payload.append(bigEndian: UInt16(truncatingIfNeeded: size))
            for index in record.rdata..<record.rdataEnd { payload.append(message[index]) }
        }
        return Result(payload: payload, lifetime: ttl, isStripped: false)
    }

    /// A pointer to the name of the question.
    private static let owner = 0xC000 | UInt16(Header.size)

    private static func asks(_ message: Span<UInt8>, for name: DomainName) -> Bool {
        guard message.count >= Header.size + name.octets.count else { return false }
        for index in name.octets.indices
        where DomainName.fold(message[Header.size + index]) != name.octets[index] { return false }
        return true
    }

    /// The TTL of the addresses; nil if there is anything else among the answers, or anything that the whole
    /// scrubber would have to look at.
    private static func leastTTL(
        of reader: inout MessageReader,
        _ type: RecordType,
        _ size: Int,
        _ message: Span<UInt8>,
        _ limits: TTLLimits
    ) -> UInt32? {
        var (ttl, hasOPT) = (UInt32.max, false)
        do throws(WireError) {
            while let record = try reader.next(in: message) {
                switch record.section {
                case .answer:
                    guard message.bigEndian16(at: record.owner) == owner, record.type == type,
                        record.recordClass == ApplyPolicy.internet, record.rdataLength == size
                    else { return nil }
                    ttl = min(ttl, limits.bound(record.ttl))
                case .authority:
                    guard record.type != .opt else { return nil }
                    try message.forEachLabel(ofNameAt: record.owner) { _, _ in }
                case .additional where record.type == .opt:
                    // The high octet of its TTL is a part of the rcode (RFC 6891 §6.1.3).
                    guard message[record.owner] == 0, !hasOPT, record.ttl >> 24 == 0 else {
                        return nil
                    }
                    hasOPT = true
                case .additional: break
                }
            }
            return ttl
        } catch {
            return nil
        }
    }

    /// What stands in front of the records, as `CachedResponse` reads it.
    private static func plainHeader(count: UInt16, size: Int, isAuthentic: Bool) -> [UInt8] {
        var payload = CachedResponse.header(
            rcode: .noError,
            flags: isAuthentic ? CachedResponse.authentic : 0,
            answers: count,
            ttls: count,
            reserving: CachedResponse.headerSize + Int(count) * (14 + size)
        )
        for number in 0..<Int(count) {
            payload.append(bigEndian: UInt16(truncatingIfNeeded: number * (12 + size) + 6))
        }
        return payload
    }
}

extension RecordType {
    /// Octets of an address record's rdata; nil for other types.
    fileprivate var addressSize: Int? { self == .a ? 4 : self == .aaaa ? 16 : nil }
}
