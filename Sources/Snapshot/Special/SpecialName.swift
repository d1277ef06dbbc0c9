public import DNSWire

/// A name that is answered here and not asked upstream, unless the operator says otherwise.
///
/// A rule or a private zone with at least one label, at the name, above or below it, takes its place
/// wherever that is the longest match; one for the root does not.
public struct SpecialName: Sendable {
    public let apex: DomainName
    /// The document that makes it special.
    public let document: String
    let denial: Denial
    let contents: ZoneContents

    /// What is said of names that have no records.
    public enum Denial: Sendable, BitwiseCopyable {
        /// What any zone would say.
        case byContents
        /// No name exists, the apex included.
        case nonexistent
        /// Every name exists.
        case noData
    }

    /// SOA and NS as RFC 6303 §3 has them, and what else there is.
    init(
        _ apex: DomainName,
        _ document: String,
        _ denial: Denial = .byContents,
        records: [Record] = []
    ) {
        self.apex = apex
        self.document = document
        self.denial = denial
        var contents = ZoneContents()
        let soa = apex.octets + Self.contact + Self.timers.flatMap(Self.octets)
        contents.append(owner: apex, type: .soa, ttl: Self.ttl, rdata: soa)
        contents.append(owner: apex, type: .ns, ttl: Self.ttl, rdata: apex.octets)
        for record in records {
            contents.append(
                owner: record.owner,
                type: record.type,
                ttl: Self.ttl,
                rdata: record.rdata
            )
        }
        self.contents = contents
    }

    struct Record {
        var owner: DomainName
        var type: RecordType
        var rdata: [UInt8]
    }

    private static let ttl: UInt32 = 10_800
    /// The mailbox of nobody, `nobody.invalid.`.
    private static let contact = [6] + Array("nobody".utf8) + [7] + Array("invalid".utf8) + [0]
    /// Serial, refresh, retry, expire and minimum.
    private static let timers: [UInt32] = [1, 3600, 1200, 604_800, ttl]

    private static func octets(_ number: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }
}
