public import DNSWire

/// What is asked of the upstreams of a rule, without the name.
public struct UpstreamQuestion: Hashable, Sendable, BitwiseCopyable {
    /// The rule's identity across reloads, part of the cache key.
    public var routeID: UInt64
    public var type: RecordType
    /// DO of the client's OPT, passed on (RFC 3225).
    public var dnssecOK: Bool
    /// CD of the client's header, passed on (RFC 4035 §3.2.2).
    public var checkingDisabled: Bool

    public init(
        routeID: UInt64,
        type: RecordType,
        dnssecOK: Bool,
        checkingDisabled: Bool
    ) {
        self.routeID = routeID
        self.type = type
        self.dnssecOK = dnssecOK
        self.checkingDisabled = checkingDisabled
    }

    /// A question about nothing.
    public static let none = UpstreamQuestion(
        routeID: 0,
        type: RecordType(rawValue: 0),
        dnssecOK: false,
        checkingDisabled: false
    )

    /// The keyed hash of the question about a name.
    @inline(__always)
    public func hash(_ name: borrowing FoldedName) -> UInt64 {
        var hash = name.hash(ofSuffix: 0) ^ routeID
        hash ^= UInt64(type.rawValue) << 2 | (dnssecOK ? 1 : 0) | (checkingDisabled ? 2 : 0)
        hash = hash &* 0x9E37_79B9_7F4A_7C15
        return hash ^ hash >> 32
    }

    /// Which of `count` workers asks the question with a hash, so that the whole server asks it once.
    public static func owner(of hash: UInt64, among count: Int) -> Int {
        Int(hash.multipliedFullWidth(by: UInt64(count)).high)
    }
}

/// A question that upstreams are being asked.
public struct QuestionID: Hashable, Sendable, BitwiseCopyable {
    let slot: SlotID

    /// That of none.
    public static let none = QuestionID(slot: .none)
}

/// One message to one upstream.
public struct AttemptID: Hashable, Sendable, BitwiseCopyable {
    let slot: SlotID

    /// A number below the most attempts that were ever under way at a time, for tables beside the forwarder's.
    public var place: Int { Int(slot.index) }
}

/// Who waits for an answer: an ID that the owner of the clients has given, and whose share of the room it takes.
public struct Waiter: Sendable, BitwiseCopyable {
    public var id: SlotID
    public var claimant: Claimant

    public init(_ id: SlotID, of claimant: Claimant) {
        self.id = id
        self.claimant = claimant
    }
}
