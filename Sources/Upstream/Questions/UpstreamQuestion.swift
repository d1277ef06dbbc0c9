public import DNSWire

/// What the upstreams of a rule are asked, without the name.
public struct UpstreamQuestion: Hashable, Sendable, BitwiseCopyable {
    /// The rule's identity across reloads, part of the cache key.
    public var routeID: UInt64
    public var type: RecordType
    /// The DO bit of the client's query, which is passed on (RFC 3225).
    public var dnssecOK: Bool
    /// The CD bit of the client's query, which is passed on (RFC 4035 §3.2.2).
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

    /// The question for nothing.
    public static let none = UpstreamQuestion(
        routeID: 0,
        type: RecordType(rawValue: 0),
        dnssecOK: false,
        checkingDisabled: false
    )

    /// The keyed hash of the question for a name.
    @inline(__always)
    public func hash(_ name: borrowing FoldedName) -> UInt64 {
        var hash = name.hash(ofSuffix: 0) ^ routeID
        hash ^= UInt64(type.rawValue) << 2 | (dnssecOK ? 1 : 0) | (checkingDisabled ? 2 : 0)
        hash = hash &* 0x9E37_79B9_7F4A_7C15
        return hash ^ hash >> 32
    }

    /// Returns which of `count` workers asks the question with this hash, so that the server asks
    /// it once.
    public static func owner(of hash: UInt64, among count: Int) -> Int {
        Int(hash.multipliedFullWidth(by: UInt64(count)).high)
    }
}

/// Identifies a question that upstreams are asked.
public struct QuestionID: Hashable, Sendable, BitwiseCopyable {
    let slot: SlotID

    /// The ID of no question.
    public static let none = QuestionID(slot: .none)
}

/// Identifies one message to one upstream.
public struct AttemptID: Hashable, Sendable, BitwiseCopyable {
    let slot: SlotID

    /// A number below the most attempts that were in flight at one time, to index tables of the
    /// owner.
    public var place: Int { Int(slot.index) }
}

/// A client that waits for an answer: the owner's ID of it, and the claimant whose share it uses.
public struct Waiter: Sendable, BitwiseCopyable {
    public var id: SlotID
    public var claimant: Claimant

    public init(_ id: SlotID, of claimant: Claimant) {
        self.id = id
        self.claimant = claimant
    }
}
