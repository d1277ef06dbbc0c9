import DNSWire

/// An account's names of availability zones: AZ names and AZ IDs in lower case, one name per ID.
///
/// All other code converts through this type, except `ZonalLabels`, which is compiled for queries.
public struct AZNames: Hashable, Sendable {
    private let idsByName: [String: String]
    private let namesByID: [String: String]

    public init(_ idsByName: [String: String] = [:]) {
        self.idsByName = idsByName
        namesByID = Dictionary(idsByName.map { ($0.value, $0.key) }, uniquingKeysWith: min)
    }

    public var isEmpty: Bool { idsByName.isEmpty }

    /// The AZ names in ascending order.
    public var names: [String] { idsByName.keys.sorted() }

    /// The AZ IDs in ascending order.
    public var ids: [String] { namesByID.keys.sorted() }

    public func id(of name: String) -> String? { idsByName[name] }

    public func name(of id: String) -> String? { namesByID[id] }

    // MARK: Labels

    /// Returns `db-use1-az4` for `db-us-east-1a`; nil if the label ends in no AZ name of the
    /// account.
    public func labelWithID(_ label: some Sequence<UInt8>) -> [UInt8]? {
        Self.replacingEnd(of: label, by: idsByName)
    }

    /// Returns `db-us-east-1a` for `db-use1-az4`; nil if the label ends in no AZ ID of the account.
    public func labelWithName(_ label: some Sequence<UInt8>) -> [UInt8]? {
        Self.replacingEnd(of: label, by: namesByID)
    }

    /// Replaces the longest key of the table at the end of a label, after a hyphen and at least one
    /// more octet.
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
