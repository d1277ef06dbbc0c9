import DNSWire
import Snapshot
import Upstream

extension ResponseScrubber {
    /// Scrubs the common kind of answer: addresses of the queried name, each with a pointer to it
    /// for an owner.
    ///
    /// The payload is the one that `scrub` would make, for a fraction of the work. Returns the
    /// lifetime in seconds. For any other message, including malformed ones, it returns nil and
    /// writes nothing.
    static func scrubPlain(
        _ message: Span<UInt8>,
        answering question: UpstreamQuestion,
        name: borrowing FoldedName,
        limits: TTLLimits,
        into payload: inout ReplyWriter
    ) -> UInt32? {
        guard !question.dnssecOK, let size = question.type.addressSize,
            var reader = try? MessageReader(message), reader.rcode == .noError,
            reader.questionCount == 1, asks(message, for: name),
            (1...64).contains(reader.answerCount)
        else { return nil }
        let row = AddressRow(
            question.type,
            size: size,
            count: reader.answerCount,
            start: Header.size + name.count + 4
        )
        guard let found = row.read(from: message, limits) else { return nil }
        reader.skipAnswers(to: row.end)
        guard isPlain(behindAnswers: &reader, message) else { return nil }
        var flags = found.kinds.rawValue
        if reader.flags & Header.Flag.authenticData != 0 { flags |= CachedResponse.authentic }
        row.write(from: message, flags: flags, ttl: found.ttl, into: &payload)
        return found.ttl
    }

    private static func asks(_ message: Span<UInt8>, for name: borrowing FoldedName) -> Bool {
        guard message.count >= Header.size + name.count else { return false }
        let asked = message.extracting(Header.size..<Header.size + name.count)
        return name.isWritten(asked)
    }

    /// Returns true if nothing behind the answers needs the complete scrubber.
    private static func isPlain(
        behindAnswers reader: inout MessageReader,
        _ message: Span<UInt8>
    ) -> Bool {
        var hasOPT = false
        do throws(WireError) {
            while let record = try reader.next(in: message) {
                if record.section == .additional {
                    guard record.type == .opt else { continue }
                    // The high octet of OPT's TTL is part of the rcode (RFC 6891 §6.1.3).
                    guard message[record.owner] == 0, !hasOPT, record.ttl >> 24 == 0 else {
                        return false
                    }
                    hasOPT = true
                } else {
                    guard record.type != .opt else { return false }
                    try message.forEachLabel(ofNameAt: record.owner) { _, _ in }
                }
            }
            return true
        } catch {
            return false
        }
    }
}

/// Adjacent addresses of the queried name, directly behind the question of a message.
private struct AddressRow {
    private let type: RecordType
    /// Octets of an address.
    private let size: Int
    private let count: Int
    private let start: Int

    init(_ type: RecordType, size: Int, count: Int, start: Int) {
        (self.type, self.size, self.count, self.start) = (type, size, count, start)
    }

    /// Octets of a record: a pointer to the question's name, type, class, TTL, length and the
    /// address.
    private var stride: Int { 12 + size }
    /// The offset at which the last record ends.
    var end: Int { start + count * stride }
    /// The offset of the TTL in a record.
    private static let ttlPlace = 6

    /// Reads the records; nil if one of them is something else.
    ///
    /// Returns the lowest of their TTLs, which applies to all of them (RFC 2181 §5.2), and the
    /// kinds of their addresses.
    func read(
        from message: Span<UInt8>,
        _ limits: TTLLimits
    ) -> (ttl: UInt32, kinds: AddressKinds)? {
        guard end <= message.count else { return nil }
        let pointer = 0xC000 | UInt64(Header.size)
        let head = pointer << 32 | UInt64(type.rawValue) << 16 | UInt64(ApplyPolicy.internet)
        var (least, kinds) = (UInt32.max, AddressKinds())
        for number in 0..<count {
            let place = start + number * stride
            guard let word = message.bigEndian64(at: place), word >> 16 == head,
                let ttl = message.bigEndian32(at: place + Self.ttlPlace),
                message.bigEndian16(at: place + 10) == UInt16(truncatingIfNeeded: size)
            else { return nil }
            least = min(least, limits.bound(ttl))
            _ = message.holdsAddress(place + 12..<place + stride, of: type) { address in
                kinds.formUnion(AddressKinds(address))
                return false
            }
        }
        return (least, kinds)
    }

    /// Writes the payload in the form that `CachedResponse` reads.
    func write(
        from message: Span<UInt8>,
        flags: UInt8,
        ttl: UInt32,
        into payload: inout ReplyWriter
    ) {
        let number = UInt16(truncatingIfNeeded: count)
        CachedResponse.writeHeader(
            rcode: .noError,
            flags: flags,
            answers: number,
            ttls: number,
            into: &payload
        )
        for number in 0..<count {
            payload.write16(UInt16(truncatingIfNeeded: number * stride + Self.ttlPlace))
        }
        let body = payload.count
        payload.write(message, in: start..<end)
        for number in 0..<count {
            payload.patch32(ttl, at: body + number * stride + Self.ttlPlace)
        }
    }
}

extension RecordType {
    /// Octets of an address record's rdata; nil for other types.
    fileprivate var addressSize: Int? { self == .a ? 4 : self == .aaaa ? 16 : nil }
}
