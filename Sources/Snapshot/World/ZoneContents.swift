public import DNSWire

/// A zone's records as they were read: octets in one arena, a fixed-size entry a record.
///
/// A million records are a million entries of 24 octets and no object each.
public struct ZoneContents: Sendable {
    /// Owner names (wire form, case as written) and rdata; records share an owner's octets.
    public var octets: [UInt8] = []
    public var records: [Record] = []
    /// The files that the records came from, the zone's own first.
    public var files: [String] = []

    public init() {}

    /// One record; offsets point into the arena.
    public struct Record: Sendable, BitwiseCopyable {
        public var ownerOffset: UInt32
        public var rdataOffset: UInt32
        /// Seconds, at most 2^31 - 1 (RFC 2181 §8).
        public var ttl: UInt32
        /// Counted from 1.
        public var line: UInt32
        public var type: RecordType
        public var rdataLength: UInt16
        /// Index into `files`.
        public var file: UInt16
        public var ownerLength: UInt8

        /// Where the owner stands in the arena.
        public var owner: Range<Int> { Int(ownerOffset)..<Int(ownerOffset) + Int(ownerLength) }
        /// Where the rdata stands in the arena.
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

    /// The owner of a record as a name; false input is impossible, so the root stands in for it.
    public func owner(of record: Record) -> DomainName {
        DomainName(octets: octets[record.owner]) ?? .root
    }

    public func rdata(of record: Record) -> ArraySlice<UInt8> { octets[record.rdata] }

    /// The address of an A or AAAA record; nil for any other.
    public func address(of record: Record) -> IPAddress? {
        record.type.isAddress ? IPAddress(octets.span.extracting(record.rdata)) : nil
    }

    /// How many times an owner is written: at least the number of names with records.
    public var ownerEntryCount: Int {
        var count = 0
        var last: UInt32?
        for record in records where record.ownerOffset != last {
            count += 1
            last = record.ownerOffset
        }
        return count
    }

    /// Adds a record with its own copy of owner and rdata, which must be in wire form; for rdata of
    /// over 65,535 octets and for an arena of over 4 GiB it adds nothing and returns false.
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
