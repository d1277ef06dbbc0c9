public import DNSWire

/// A zone's records as read from its files: octets in one arena, and one fixed-size entry per
/// record.
///
/// A million records need a million entries of 24 octets and no objects.
public struct ZoneContents: Sendable {
    /// Owner names (wire format, original letter case) and rdata; records of one owner share its
    /// octets.
    public var octets: [UInt8] = []
    public var records: [Record] = []
    /// The files of the records; the first is the zone file itself.
    public var files: [String] = []

    public init() {}

    /// A record; offsets refer to the arena.
    public struct Record: Sendable, BitwiseCopyable {
        public var ownerOffset: UInt32
        public var rdataOffset: UInt32
        /// Seconds, at most 2^31 - 1 (RFC 2181 §8).
        public var ttl: UInt32
        /// The line number, from 1.
        public var line: UInt32
        public var type: RecordType
        public var rdataLength: UInt16
        /// An index into `files`.
        public var file: UInt16
        public var ownerLength: UInt8

        /// The range of the owner in the arena.
        public var owner: Range<Int> { Int(ownerOffset)..<Int(ownerOffset) + Int(ownerLength) }
        /// The range of the rdata in the arena.
        public var rdata: Range<Int> { Int(rdataOffset)..<Int(rdataOffset) + Int(rdataLength) }

        public init(
            ownerOffset: UInt32,
            ownerLength: UInt8,
            type: RecordType,
            ttl: UInt32,
            rdataOffset: UInt32,
            rdataLength: UInt16,
            file: UInt16,
            line: UInt32
        ) {
            self.ownerOffset = ownerOffset
            self.ownerLength = ownerLength
            self.type = type
            self.ttl = ttl
            self.rdataOffset = rdataOffset
            self.rdataLength = rdataLength
            self.file = file
            self.line = line
        }
    }

    /// Returns the owner of a record.
    ///
    /// The arena has only valid names; the root is a fallback.
    public func owner(of record: Record) -> DomainName {
        DomainName(octets: octets[record.owner]) ?? .root
    }

    public func rdata(of record: Record) -> ArraySlice<UInt8> { octets[record.rdata] }

    /// Returns the address of an A or AAAA record; nil for others.
    public func address(of record: Record) -> IPAddress? {
        record.type.isAddress ? IPAddress(octets.span.extracting(record.rdata)) : nil
    }

    /// The number of times that owners are written; at least the number of names with records.
    public var ownerEntryCount: Int {
        var count = 0
        var last: UInt32?
        for record in records where record.ownerOffset != last {
            count += 1
            last = record.ownerOffset
        }
        return count
    }

    /// Adds a record and copies its owner and rdata, which must be in wire format.
    ///
    /// Returns false and adds nothing if the rdata exceeds 65,535 octets or the arena 4 GiB.
    @discardableResult
    public mutating func append(
        owner: DomainName,
        type: RecordType,
        ttl: UInt32,
        rdata: some Collection<UInt8>,
        file: UInt16 = 0,
        line: UInt32 = 0
    ) -> Bool {
        guard let rdataLength = UInt16(exactly: rdata.count),
            let ownerOffset = UInt32(exactly: octets.count),
            let rdataOffset = UInt32(exactly: octets.count + owner.octets.count)
        else { return false }
        octets += owner.octets
        octets += rdata
        records.append(
            Record(
                ownerOffset: ownerOffset,
                ownerLength: UInt8(truncatingIfNeeded: owner.octets.count),
                type: type,
                ttl: ttl,
                rdataOffset: rdataOffset,
                rdataLength: rdataLength,
                file: file,
                line: line
            )
        )
        return true
    }
}
