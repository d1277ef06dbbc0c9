public import DNSWire

/// A special-use name: the server answers it itself unless the operator overrides it.
///
/// A rule or private zone at, above or below the name overrides it where that is the longest match.
/// A rule for the root does not.
public struct SpecialName: Sendable {
    public let apex: DomainName
    /// The document that defines it.
    public let document: String
    let denial: Denial
    let contents: ZoneContents

    /// The answer for names without records.
    public enum Denial: Sendable, BitwiseCopyable {
        /// The answer of an ordinary zone.
        case byContents
        /// NXDOMAIN for all names, including the apex.
        case nonexistent
        /// NODATA for all names.
        case noData
    }

    /// Makes the zone with SOA and NS as in RFC 6303 §3, and the given records.
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
    /// The mailbox in the SOA, `nobody.invalid.`, in wire format.
    private static let contact = [6] + Array("nobody".utf8) + [7] + Array("invalid".utf8) + [0]
    /// Serial, refresh, retry, expire and minimum.
    private static let timers: [UInt32] = [1, 3600, 1200, 604_800, ttl]

    private static func octets(_ number: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }
}
