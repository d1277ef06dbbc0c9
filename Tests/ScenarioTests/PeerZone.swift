import DNSWire
import TestSupport

/// A random zone with many kinds of records, reproducible by its seed.
struct PeerZone {
    /// A name to query, and its records.
    struct Name {
        var name: DomainName
        var types: [RecordType]
        /// Servers disagree about queries for the CNAME that a DNAME synthesizes.
        var isBelowDNAME = false
    }

    let origin: String
    private(set) var names: [Name] = []
    private var lines: [String]
    private var random: SeededGenerator

    /// The master file.
    var text: String { lines.joined(separator: "\n") + "\n" }

    /// - Parameters:
    ///   - origin: The zone's name, without the final dot.
    ///   - others: Zones that aliases lead to, besides its own.
    ///   - seed: Of the random choices.
    init(_ origin: String, others: [String], seed: UInt64) {
        self.origin = origin
        random = SeededGenerator(seed: seed)
        lines = [
            "$ORIGIN \(origin).", "$TTL 300",
            "@ SOA ns hostmaster 1 1h 15m 1w 120", "@ NS ns", "ns A 127.0.0.1",
        ]
        ask("@", [.soa, .ns, .a, .dnskey, .ds])
        for number in 0..<24 {
            addAddresses(number)
            addAliases(number, others)
            addWildcards(number)
            addEmptyNonTerminals(number)
            addServices(number)
            addText(number)
            addOddLabels(number)
            addUnknownTypes(number)
            addRedirection(number)
            addRareTypes(number)
        }
    }

    private mutating func ask(
        _ owner: String,
        _ types: [RecordType] = [.a],
        isBelowDNAME: Bool = false
    ) {
        guard let zone = DomainName("\(origin)."), let name = DomainName(owner, origin: zone) else {
            preconditionFailure("no name: \(owner)")
        }
        names.append(Name(name: name, types: types, isBelowDNAME: isBelowDNAME))
    }

    /// Adds an RRset.
    private mutating func add(_ owner: String, _ type: String, _ data: String...) {
        let ttl = [0, 1, 30, 300, 3600, 86_400, 604_800].randomElement(using: &random) ?? 0
        lines += data.map { "\(owner) \(ttl) \(type) \($0)" }
    }

    private func v4(_ number: Int) -> String { "198.51.100.\(number % 250 + 1)" }

    private mutating func addAddresses(_ number: Int) {
        let owner = "h\(number)"
        for index in 0..<Int.random(in: 1...12, using: &random) {
            lines.append("\(owner) 300 A \(v4(number * 12 + index))")
        }
        for index in 0..<Int.random(in: 0...6, using: &random) {
            lines.append("\(owner) 60 AAAA 2001:db8::\(number):\(index)")
        }
        ask(owner, [.a, .aaaa, .mx])
        ask("missing\(number)", [.a, .txt])
        ask("x.\(owner)")
    }

    /// Adds chains of one to eight aliases: to an address, to a missing name, to another zone.
    private mutating func addAliases(_ number: Int, _ others: [String]) {
        let length = number % 8 + 1
        let other = others.randomElement(using: &random) ?? origin
        let ends = [
            "h\(number)", "missing\(number)", "c.ent\(number)", "h\(number).\(other).",
            "x.w\(number)",
            "missing\(number).\(other).",
        ]
        for link in 0..<length {
            let isLast = link == length - 1
            add(
                "c\(number)-\(link)",
                "CNAME",
                isLast ? ends[number % ends.count] : "c\(number)-\(link + 1)"
            )
        }
        ask("c\(number)-0", [.a, .aaaa, .txt, .cname])
        ask("c\(number)-\(length / 2)", [.a, .mx])
    }

    private mutating func addWildcards(_ number: Int) {
        let owner = "w\(number)"
        switch number % 4 {
        case 0: add("*.\(owner)", "A", v4(number))
        case 1: add("*.\(owner)", "TXT", "wild")
        case 2: add("*.\(owner)", "CNAME", "h\(number)")
        default: add("*.\(owner)", "MX", "10 h\(number)", "20 *.\(owner)")
        }
        add("stop.\(owner)", "A", v4(number))
        for label in ["x", "a.b", "*", "stop", "x.stop"] {
            ask("\(label).\(owner)", [.a, .txt, .mx])
        }
        ask(owner)
    }

    private mutating func addEmptyNonTerminals(_ number: Int) {
        add("a.b.c.ent\(number)", "A", v4(number))
        for label in ["a.b.c", "b.c", "c", "x.c", "x.a.b.c"] { ask("\(label).ent\(number)") }
        ask("ent\(number)", [.a, .soa, .ns])
    }

    private mutating func addServices(_ number: Int) {
        let owner = "s\(number)"
        add(owner, "MX", "10 h\(number)", "20 mail.example.edu.", "0 .")
        add("_sip._tcp.\(owner)", "SRV", "0 1 5060 h\(number)", "1 0 65535 h1", "9 9 0 .")
        add(owner, "NAPTR", #"10 20 "S" "SIP+D2T" "" _sip._tcp.\#(owner)"#, #"1 1 "" "" "" ."#)
        add(owner, "HTTPS", "1 . alpn=h2,h3 port=8443", "2 h\(number) ipv4hint=192.0.2.1,192.0.2.2")
        add("_dns.\(owner)", "SVCB", "0 h\(number)")
        add(owner, "CAA", #"0 issue "ca.example.net""#, #"128 iodef "mailto:a@example.org""#)
        ask(owner, [.mx, .https, RecordType(rawValue: 35), RecordType(rawValue: 257), .a])
        ask("_sip._tcp.\(owner)", [.srv, .a])
        ask("_dns.\(owner)", [.svcb])
    }

    /// Adds RRsets of sizes up to the limit of TCP, around the limit of UDP.
    private mutating func addText(_ number: Int) {
        let sizes = [1, 400, 480, 1100, 1180, 1300, 3000, 9000, 30_000]
        let strings = sizes[number % sizes.count] / 200 + 1
        let text = (0..<strings).map { "\"\($0) \(String(repeating: "x", count: 195))\"" }
        add("t\(number)", "TXT", text.joined(separator: " "))
        ask("t\(number)", [.txt, .a])
        // Many small records have the same size.
        lines += (0..<number * 5).map { "m\(number) 300 TXT \"record \($0)\"" }
        ask("m\(number)", [.txt])
    }

    private mutating func addOddLabels(_ number: Int) {
        let longest = String(repeating: "l", count: 63)
        let room = 253 - origin.count - 3 * 64 - 1
        let odd = [
            #"a\.b\#(number)"#, #"sp\032ace\#(number)"#, #"\000\001\#(number)"#,
            #"\255\128\#(number)"#, "UPPER\(number)", "-dash\(number)-", #"q\"uote\#(number)"#,
            #"\@\;\(\#(number)"#, "*star\(number)", "x.*.star\(number)", "_under_\(number)",
            "\(longest).\(number)",
            "\(longest).\(longest).\(longest).\(String(repeating: "e", count: room))",
        ]
        let owner = odd[number % odd.count]
        add(owner, "A", v4(number))
        add(owner, "TXT", "odd")
        ask(owner, [.a, .txt, .aaaa])
        if number % odd.count < odd.count - 2 { ask(#"\007.\#(owner)"#) }
    }

    private mutating func addUnknownTypes(_ number: Int) {
        let owner = "u\(number)"
        add(owner, "TYPE65280", "\\# 4 0A00\(10 + number)01", "\\# 0")
        add(owner, "TYPE300", "\\# 12 03777777076578616D706C65")
        add(owner, "TYPE65534", "\\# 3 C00C00")
        let types: [UInt16] = [300, 65_280, 65_281, 65_534, 1]
        ask(owner, types.map { RecordType(rawValue: $0) })
    }

    private mutating func addRedirection(_ number: Int) {
        // Long enough that no resolver caches a synthesized CNAME without its DNAME.
        lines.append("d\(number) 3600 DNAME to\(number)")
        add("x.to\(number)", "A", v4(number))
        ask("d\(number)", [.dname, .a])
        ask("x.d\(number)", [.a, .txt], isBelowDNAME: true)
        ask("y.d\(number)", isBelowDNAME: true)
    }

    private mutating func addRareTypes(_ number: Int) {
        let rare: [(String, UInt16, String)] = [
            ("LOC", 29, "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m"),
            ("HINFO", 13, "\"cpu\" \"os\""), ("RP", 17, "h\(number) txt.example.org."),
            ("SSHFP", 44, "4 2 \(String(repeating: "0f", count: 32))"),
            ("TLSA", 52, "3 1 1 \(String(repeating: "a5", count: 32))"), ("PTR", 12, "h\(number)"),
            ("AFSDB", 18, "1 h\(number)"), ("KX", 36, "10 h\(number)"),
            ("URI", 256, "10 1 \"https://example.org/\""), ("EUI48", 108, "00-00-5e-00-53-2a"),
            ("APL", 42, "1:192.0.2.0/24 !2:2001:db8::/32"), ("SPF", 99, "\"v=spf1 -all\""),
            ("OPENPGPKEY", 61, "bWVzc2FnZQ=="), ("MINFO", 14, "h1 h2"),
        ]
        let (mnemonic, type, data) = rare[number % rare.count]
        add("r\(number)", mnemonic, data)
        ask("r\(number)", [RecordType(rawValue: type), .a])
    }
}
