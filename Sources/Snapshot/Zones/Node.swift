public import DNSWire

/// A name of a zone: its flags and its RRsets, an entry of the arena.
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
        /// `*` exists right below.
        static let hasWildcardChild = Flags(rawValue: 1)
        /// NS below the apex: another server's business from here on (RFC 1034 §4.2.1).
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

/// The records of one name and type, an entry of the arena.
///
///     0  `Header`
///     16 the groups: AZ number 16 bits, records 16; if checked, the number of each record's
///        `HealthTarget` 32; then the records: length 16 (big-endian), rdata
///
/// Records of addresses stand in the order of their groups, those of no known AZ last.
public struct RRset: BitwiseCopyable, Sendable {
    /// Identity within the snapshot.
    public let offset: Int
    public let type: RecordType
    public let recordCount: Int
    public let ttl: UInt32
    let groupCount: Int
    /// Whether addresses that are down leave the answers.
    let isChecked: Bool
    let recordsOffset: Int
    let recordsLength: Int

    /// What an RRset begins with, in this order; read and written at once.
    struct Header: BitwiseCopyable {
        var type: UInt16
        var recordCount: UInt16
        var ttl: UInt32
        /// Octets of the records.
        var recordsLength: UInt32
        /// AZ groups.
        var groupCount: UInt16
        /// 1 if addresses that are down leave the answers.
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

    /// Where the RRset behind this one starts, if there is one.
    var end: Int { (recordsOffset + recordsLength + 3) & ~3 }

    /// Octets of one address record, length field included.
    var addressStride: Int { type == .a ? 6 : 18 }

    /// Where address record `number` starts.
    func place(ofAddress number: Int) -> Int { recordsOffset + number * addressStride }

    /// Where the target number of record `number` stands, if the RRset is checked.
    func place(ofTarget number: Int) -> Int {
        offset + Self.headerSize + groupCount * Self.groupSize + number * Self.targetSize
    }
}

/// Which records of an RRset a client gets: those of `first`, ahead of the others or alone.
public struct Selection: Equatable, Sendable {
    public var first: Range<Int>
    public var includesOthers: Bool
    public var health = Health.ignored

    /// What becomes of addresses that are down.
    public enum Health: Sendable, BitwiseCopyable {
        /// They are given like all others: nobody checks them.
        case ignored
        /// They are left out.
        case respected
        /// They are given, since no address of the name is up.
        case failedOpen
    }

    /// Every record, in the RRset's own order.
    public static func all(of rrset: RRset) -> Selection {
        Selection(first: 0..<rrset.recordCount, includesOthers: false)
    }
}

/// With which of its addresses an answer begins: of those that come first, and of the others.
public struct Rotation: Equatable, Sendable, BitwiseCopyable {
    /// A number among those of `Selection.first`; of those that are up where health is respected.
    public var first = 0
    /// The same among the others.
    public var others = 0

    public static let none = Rotation()

    public init() {}
}
