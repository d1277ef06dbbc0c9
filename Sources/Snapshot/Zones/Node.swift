public import DNSWire

/// A name of a zone in the arena: its flags and its RRsets.
///
///     0  zone number     32 bits
///     4  flags            8
///     5  length of name   8
///     6  RRsets          16
///     8  the name in lower case, wire form, padded to a multiple of 4; then the RRsets
///
/// A name without RRsets is an empty non-terminal (RFC 4592 §2.2.2).
public struct Node: BitwiseCopyable, Sendable {
    let offset: Int
    let flags: Flags
    public let rrsetCount: Int
    let firstRRset: Int

    static let headerSize = 8

    struct Flags: OptionSet, BitwiseCopyable {
        let rawValue: UInt8
        /// The name `*` exists directly below.
        static let hasWildcardChild = Flags(rawValue: 1)
        /// NS below the apex: a delegation to other servers (RFC 1034 §4.2.1).
        static let isDelegation = Flags(rawValue: 2)
        static let hasDNAME = Flags(rawValue: 4)
    }

    public var isDelegation: Bool { flags.contains(.isDelegation) }

    init(at offset: Int, in arena: ByteArena) {
        self.offset = offset
        flags = Flags(rawValue: arena.load(offset + 4, as: UInt8.self))
        rrsetCount = Int(arena.load(offset + 6, as: UInt16.self))
        firstRRset = Self.firstRRset(at: offset, nameLength: Self.nameLength(at: offset, in: arena))
    }

    static func nameLength(at offset: Int, in arena: ByteArena) -> Int {
        Int(arena.load(offset + 5, as: UInt8.self))
    }

    static func firstRRset(at offset: Int, nameLength: Int) -> Int {
        offset + headerSize + (nameLength + 3) & ~3
    }
}

/// The records of one name and type in the arena.
///
///     0  `Header`
///     16 the groups: AZ number 16 bits, records 16; if checked, the number of each record's
///        `HealthTarget` 32; then the records: length 16 (big-endian), rdata
///
/// Address records are in the order of their groups; those of no known AZ are last.
public struct RRset: BitwiseCopyable, Sendable {
    /// The identity within the snapshot.
    public let offset: Int
    public let type: RecordType
    public let recordCount: Int
    public let ttl: UInt32
    let groupCount: Int
    /// True if addresses that are down are omitted from answers.
    let isChecked: Bool
    let recordsOffset: Int
    let recordsLength: Int

    /// The header of an RRset in memory order; read and written as a whole.
    struct Header: BitwiseCopyable {
        var type: UInt16
        var recordCount: UInt16
        var ttl: UInt32
        /// The size of the records in octets.
        var recordsLength: UInt32
        /// The number of AZ groups.
        var groupCount: UInt16
        /// 1 if addresses that are down are omitted from answers.
        var isChecked: UInt16
    }

    static let headerSize = MemoryLayout<Header>.size
    static let groupSize = 4
    static let targetSize = 4

    init(at offset: Int, in arena: ByteArena) {
        self.offset = offset
        let header = arena.load(offset, as: Header.self)
        type = RecordType(rawValue: header.type)
        recordCount = Int(header.recordCount)
        ttl = header.ttl
        recordsLength = Int(header.recordsLength)
        groupCount = Int(header.groupCount)
        isChecked = header.isChecked == 1
        recordsOffset =
            offset + Self.headerSize + groupCount * Self.groupSize
            + (isChecked ? recordCount * Self.targetSize : 0)
    }

    /// The start of the next RRset, if there is one.
    var end: Int { (recordsOffset + recordsLength + 3) & ~3 }

    /// The size of one address record, including its length field.
    var addressStride: Int { type == .a ? 6 : 18 }

    /// Returns the offset of address record `number`.
    func place(ofAddress number: Int) -> Int { recordsOffset + number * addressStride }

    /// Returns the offset of the target number of record `number`, in a checked RRset.
    func place(ofTarget number: Int) -> Int {
        offset + Self.headerSize + groupCount * Self.groupSize + number * Self.targetSize
    }
}

/// The records of an RRset for a client: those of `first` precede the others or are the only ones.
public struct Selection: Equatable, Sendable {
    public var first: Range<Int>
    public var includesOthers: Bool
    public var health = Health.ignored

    /// How the selection treats addresses that are down.
    public enum Health: Sendable, BitwiseCopyable {
        /// They are returned: they are not checked.
        case ignored
        /// They are omitted.
        case respected
        /// They are returned, since all addresses of the name are down.
        case failedOpen
    }

    /// Selects all records in the order of the RRset.
    public static func all(of rrset: RRset) -> Selection {
        Selection(first: 0..<rrset.recordCount, includesOthers: false)
    }
}

/// The starting points of rotation: among the first addresses, and among the others.
public struct Rotation: Equatable, Sendable, BitwiseCopyable {
    /// A number among those of `Selection.first`; if health is respected, among those that are up.
    public var first = 0
    /// A number among the others.
    public var others = 0

    public static let none = Rotation()

    public init() {}
}
