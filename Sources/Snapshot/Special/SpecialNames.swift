import DNSWire

extension SpecialName {
    /// All special-use names.
    ///
    /// `example` is not among them: resolvers treat it as any other name (RFC 6761 §6.5). Neither
    /// is `internal`, although it is reserved: a VPC's resolver has `ec2.internal` and
    /// `compute.internal`.
    public static let all = localhost + absent + locallyServed + reverse

    /// RFC 6761 §6.3: `localhost` and all names below it are loopback addresses.
    private static var localhost: [SpecialName] {
        guard let apex = DomainName("localhost"), let wildcard = DomainName("*.localhost") else {
            return []
        }
        let records = [apex, wildcard].flatMap { owner in
            [
                Record(owner: owner, type: .a, rdata: IPAddress(v4: 0x7F00_0001).octets),
                Record(owner: owner, type: .aaaa, rdata: IPAddress(bits: 1).octets),
            ]
        }
        return [SpecialName(apex, "RFC 6761 §6.3", records: records)]
    }

    /// Top-level domains that will never exist in the global DNS.
    private static var absent: [SpecialName] {
        [
            ("test", "RFC 6761 §6.2"), ("invalid", "RFC 6761 §6.4"), ("local", "RFC 6762 §22.1"),
            ("onion", "RFC 7686 §2"), ("alt", "RFC 9476 §2"),
        ].compactMap { text, document in
            DomainName(text).map { SpecialName($0, document, .nonexistent) }
        }
    }

    /// Names for local network services, of which this server provides none.
    private static var locallyServed: [SpecialName] {
        [
            ("home.arpa", "RFC 8375 §4", Denial.byContents),
            ("service.arpa", "RFC 9665", .byContents),
            ("resolver.arpa", "RFC 9462 §6.4", .noData),
        ].compactMap { text, document, denial in
            DomainName(text).map { SpecialName($0, document, denial) }
        }
    }

    /// Reverse zones of addresses that are not globally unique (RFC 6303 §4, RFC 7793 §4).
    private static var reverse: [SpecialName] {
        let ranges = [
            "0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.2.0/24", "192.168.0.0/16", "198.51.100.0/24", "203.0.113.0/24",
            "255.255.255.255/32", "::/128", "::1/128", "fd00::/8", "fe80::/10", "2001:db8::/32",
        ]
        return zones(of: ranges, "RFC 6303 §4") + zones(of: ["100.64.0.0/10"], "RFC 7793 §4")
    }

    private static func zones(of ranges: [String], _ document: String) -> [SpecialName] {
        ranges.compactMap { IPPrefix($0) }.flatMap(\.reverseZones).map { apex in
            SpecialName(apex, document, records: loopbackPointer(in: apex))
        }
    }

    /// Returns the PTR record of 127.0.0.1 or ::1.
    private static func loopbackPointer(in apex: DomainName) -> [Record] {
        let owners = [IPAddress(v4: 0x7F00_0001), IPAddress(bits: 1)].flatMap {
            IPPrefix($0, length: 128).reverseZones
        }
        let target = DomainName("localhost")?.octets ?? []
        return owners.filter { $0.isInside(apex) }.map {
            Record(owner: $0, type: .ptr, rdata: target)
        }
    }
}
