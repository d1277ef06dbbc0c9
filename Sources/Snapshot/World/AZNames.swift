import DNSWire

/// What an account calls its availability zones: AZ names and AZ IDs in lower case, one name for an ID.
///
/// All that turns one into the other asks it; `ZonalLabels` is the same, compiled for answering.
public struct AZNames: Hashable, Sendable {
    private let idsByName: [String: String]
    private let namesByID: [String: String]

    public init(_ idsByName: [String: String] = [:]) {
        self.idsByName = idsByName
        namesByID = Dictionary(idsByName.map { ($0.value, $0.key) }, uniquingKeysWith: min)
    }

    public var isEmpty: Bool { idsByName.isEmpty }

    /// In ascending order.
    public var names: [String] { idsByName.keys.sorted() }

    /// In ascending order.
    public var ids: [String] { namesByID.keys.sorted() }

    public func id(of name: String) -> String? { idsByName[name] }

    public func name(of id: String) -> String? { namesByID[id] }

    // MARK: Labels

    /// `db-use1-az4` for `db-us-east-1a`; nil for a label that ends in no AZ name of the account.
    public func labelWithID(_ label: some Sequence<UInt8>) -> [UInt8]? {
        Self.replacingEnd(of: label, by: idsByName)
    }

    /// `db-us-east-1a` for `db-use1-az4`; nil for a label that ends in no AZ ID of the account.
    public func labelWithName(_ label: some Sequence<UInt8>) -> [UInt8]? {
        Self.replacingEnd(of: label, by: namesByID)
    }

    /// Replaces the longest key of the table that stands at the end of a label, behind a hyphen that something
    /// stands before.
    private static func replacingEnd(
        of label: some Sequence<UInt8>,
        by table: [String: String]
    ) -> [UInt8]? {
        let label = label.map(DomainName.fold)
        for hyphen in label.indices.dropFirst() where label[hyphen] == UInt8(ascii: "-") {
            let end = String(decoding: label[(hyphen + 1)...], as: UTF8.self)
            if let other = table[end] { return Array(label[...hyphen]) + Array(other.utf8) }
        }
        return nil
    }
}
