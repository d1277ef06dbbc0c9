public import DNSWire

/// What makes two upstream questions the same one, across reloads.
struct QuestionKey: Sendable {
    /// In lower case.
    let name: DomainName
    /// The keyed hash of the name.
    let nameHash: UInt64
    let routeID: UInt64
    let type: RecordType
    let dnssecOK: Bool
    let checkingDisabled: Bool

    init(_ question: UpstreamQuestion, name: borrowing FoldedName) {
        self.name = name.name
        nameHash = name.hash(ofSuffix: 0)
        routeID = question.routeID
        type = question.type
        dnssecOK = question.dnssecOK
        checkingDisabled = question.checkingDisabled
    }
}

extension QuestionKey: Hashable {
    static func == (left: QuestionKey, right: QuestionKey) -> Bool {
        left.nameHash == right.nameHash && left.routeID == right.routeID
            && left.type == right.type && left.dnssecOK == right.dnssecOK
            && left.checkingDisabled == right.checkingDisabled
            && left.name.octets == right.name.octets
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(nameHash)
        hasher.combine(routeID)
        hasher.combine(type.rawValue)
    }
}

extension UpstreamQuestion {
    /// Which of `count` workers asks this question, so that the whole server asks it once.
    public func owner(of name: borrowing FoldedName, among count: Int) -> Int {
        guard count > 1 else { return 0 }
        var hash = name.hash(ofSuffix: 0) ^ routeID
        hash ^= UInt64(type.rawValue) << 2 | (dnssecOK ? 1 : 0) | (checkingDisabled ? 2 : 0)
        hash = hash &* 0x9E37_79B9_7F4A_7C15
        return Int(hash.multipliedFullWidth(by: UInt64(count)).high)
    }
}
