package import DNSWire
package import Snapshot

/// Prints records in the format of `ldns-read-zone`.
package enum ZonePrinter {
    /// Returns one line per record, in file order: owner, TTL, class, type and rdata, separated by
    /// tabs.
    package static func lines(of contents: ZoneContents) -> [String] {
        contents.records.map { record in
            let owner = contents.owner(of: record)
            let rdata = contents.rdata(of: record)
            let ldns = LdnsRecord(
                owner: owner.octets,
                type: record.type,
                ttl: record.ttl,
                rdata: rdata
            )
            guard isLeftToLdns(record.type), let text = ldns?.text(withComments: true) else {
                return
                    "\(owner)\t\(record.ttl)\tIN\t\(record.type)\t\(unknownForm(of: rdata))"
            }
            guard isMisreadable(owner), let tab = text.firstIndex(of: "\t") else { return text }
            return "\(owner)\(text[tab...])"
        }
    }

    /// False for ATMA: libldns omits the octet that says how to read the others.
    private static func isLeftToLdns(_ type: RecordType) -> Bool { type.rawValue != 34 }

    /// Returns true if the owner, as libldns prints it, would be read as another name.
    private static func isMisreadable(_ owner: DomainName) -> Bool {
        owner.octets.contains(.quote) || owner.octets.dropFirst().first == .dollar
            || owner.octets.starts(with: [1, .at])
    }

    /// Returns the rdata of any type as one line of master-file text, with absolute names.
    ///
    /// Rdata that is invalid for its type, as only a hostile server sends it, is printed in the
    /// form of RFC 3597 §5.
    package static func rdataText(type: RecordType, rdata: some Collection<UInt8>) -> String {
        guard !rdata.isEmpty, isLeftToLdns(type),
            let text = LdnsRecord(owner: [0], type: type, ttl: 0, rdata: rdata)?
                .text(withComments: false)
        else { return unknownForm(of: rdata) }
        // The rdata follows owner, TTL, class and type.
        let fields = text.split(separator: "\t", maxSplits: 4, omittingEmptySubsequences: false)
        return fields.count == 5 ? String(fields[4]) : unknownForm(of: rdata)
    }

    /// Returns octets in the form of RFC 3597 §5: `\# 4 0a000001`.
    private static func unknownForm(of rdata: some Collection<UInt8>) -> String {
        let head = "\\# \(rdata.count)"
        guard !rdata.isEmpty else { return head }
        let digits = Array("0123456789abcdef".utf8)
        let hex = rdata.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return head + " " + String(decoding: hex, as: UTF8.self)
    }
}
