package import DNSWire
package import Snapshot

/// Writes records as `ldns-read-zone` does.
package struct ZonePrinter {
    /// One line a record: owner, TTL, class, type and rdata, a tab between each.
    package static func lines(of contents: ZoneContents) -> [String] { [] }

    /// The rdata of any type as master-file text.
    package static func rdataText(type: RecordType, rdata: some Collection<UInt8>) -> String { "" }
}
