/// A record type or query type (RFC 1035 §3.2.2, RFC 6895 §3.1).
public struct RecordType: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    public var rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    // Explicit, because the synthesized operator would be called through a protocol witness.
    @inline(__always) public static func == (left: Self, right: Self) -> Bool {
        left.rawValue == right.rawValue
    }

    public static var a: Self { Self(rawValue: 1) }
    public static var ns: Self { Self(rawValue: 2) }
    public static var cname: Self { Self(rawValue: 5) }
    public static var soa: Self { Self(rawValue: 6) }
    public static var ptr: Self { Self(rawValue: 12) }
    public static var hinfo: Self { Self(rawValue: 13) }
    public static var mx: Self { Self(rawValue: 15) }
    public static var txt: Self { Self(rawValue: 16) }
    public static var sig: Self { Self(rawValue: 24) }
    public static var aaaa: Self { Self(rawValue: 28) }
    public static var srv: Self { Self(rawValue: 33) }
    public static var dname: Self { Self(rawValue: 39) }
    public static var opt: Self { Self(rawValue: 41) }
    public static var ds: Self { Self(rawValue: 43) }
    public static var rrsig: Self { Self(rawValue: 46) }
    public static var nsec: Self { Self(rawValue: 47) }
    public static var dnskey: Self { Self(rawValue: 48) }
    public static var nsec3: Self { Self(rawValue: 50) }
    public static var svcb: Self { Self(rawValue: 64) }
    public static var https: Self { Self(rawValue: 65) }
    public static var tkey: Self { Self(rawValue: 249) }
    public static var tsig: Self { Self(rawValue: 250) }
    public static var ixfr: Self { Self(rawValue: 251) }
    public static var axfr: Self { Self(rawValue: 252) }
    public static var mailb: Self { Self(rawValue: 253) }
    public static var maila: Self { Self(rawValue: 254) }
    public static var any: Self { Self(rawValue: 255) }

    /// True for A and AAAA, whose records can have an availability zone.
    public var isAddress: Bool { rawValue == 1 || rawValue == 28 }

    /// True for types that are never stored: OPT and 128 to 255 (RFC 6895 §3.1).
    public var isMeta: Bool { rawValue == 41 || (128...255).contains(rawValue) }

    /// True for the two reserved values (RFC 6895 §3.1).
    public var isReserved: Bool { rawValue == 0 || rawValue == .max }
}

extension RecordType: CustomStringConvertible {
    private static let mnemonics: [UInt16: String] = [
        1: "A", 2: "NS", 3: "MD", 4: "MF", 5: "CNAME", 6: "SOA", 7: "MB", 8: "MG", 9: "MR",
        10: "NULL", 11: "WKS", 12: "PTR", 13: "HINFO", 14: "MINFO", 15: "MX", 16: "TXT", 17: "RP",
        18: "AFSDB", 19: "X25", 20: "ISDN", 21: "RT", 22: "NSAP", 23: "NSAP-PTR", 24: "SIG",
        25: "KEY", 26: "PX", 27: "GPOS", 28: "AAAA", 29: "LOC", 30: "NXT", 31: "EID", 32: "NIMLOC",
        33: "SRV", 34: "ATMA", 35: "NAPTR", 36: "KX", 37: "CERT", 38: "A6", 39: "DNAME", 40: "SINK",
        41: "OPT", 42: "APL", 43: "DS", 44: "SSHFP", 45: "IPSECKEY", 46: "RRSIG", 47: "NSEC",
        48: "DNSKEY", 49: "DHCID", 50: "NSEC3", 51: "NSEC3PARAM", 52: "TLSA", 53: "SMIMEA",
        55: "HIP", 56: "NINFO", 57: "RKEY", 58: "TALINK", 59: "CDS", 60: "CDNSKEY",
        61: "OPENPGPKEY", 62: "CSYNC", 63: "ZONEMD", 64: "SVCB", 65: "HTTPS", 99: "SPF",
        104: "NID", 105: "L32", 106: "L64", 107: "LP", 108: "EUI48", 109: "EUI64", 249: "TKEY",
        250: "TSIG", 251: "IXFR", 252: "AXFR", 253: "MAILB", 254: "MAILA", 255: "ANY", 256: "URI",
        257: "CAA", 258: "AVC", 259: "DOA", 260: "AMTRELAY", 261: "RESINFO", 262: "WALLET",
        32768: "TA", 32769: "DLV",
    ]
    private static let values = Dictionary(
        uniqueKeysWithValues: mnemonics.map { ($0.value, $0.key) }
    )

    /// The mnemonic, or `TYPE65280` for a type without one (RFC 3597 §5).
    public var description: String { Self.mnemonics[rawValue] ?? "TYPE\(rawValue)" }

    /// Parses a mnemonic in any letter case, or the `TYPE65280` form.
    public init?(_ text: some StringProtocol) {
        let upper = text.uppercased()
        if let value = Self.values[upper] {
            self.init(rawValue: value)
        } else if upper.hasPrefix("TYPE"), let value = UInt16(upper.dropFirst(4)) {
            self.init(rawValue: value)
        } else {
            return nil
        }
    }
}
