import DNSWire
import TestSupport
import Testing

@testable import Control

@Suite struct `Zone file entries` {
    /// Returns the tokens of each entry, quoted ones with quotes.
    private func entries(_ text: String) -> [[String]] {
        var lexer = MasterFileLexer(file: "f", octets: Array(text.utf8))
        var entries: [[String]] = []
        while lexer.nextEntry() {
            entries.append(
                lexer.tokens.map { token in
                    let text = String(decoding: lexer.octets[token.range], as: UTF8.self)
                    return token.isQuoted ? "\"\(text)\"" : text
                }
            )
        }
        return entries
    }

    @Test(arguments: [
        ("a b c", [["a", "b", "c"]]),
        ("a\tb\n\n c\n", [["a", "b"], ["c"]]),
        ("a ; comment ( \"\nb", [["a"], ["b"]]),
        ("a ( b\nc ) d\ne", [["a", "b", "c", "d"], ["e"]]),
        ("a(b(c)d)e", [["a", "b", "c", "d", "e"]]),
        ("a ( b ; comment )\n c )", [["a", "b", "c"]]),
        ("a\"b\"c", [["a", "\"b\"", "c"]]),
        ("\"a;b(c) \\\" d\"", [["\"a;b(c) \\\" d\""]]),
        ("a\\ b \\; \\( \\\"", [["a\\ b", "\\;", "\\(", "\\\""]]),
        ("a\r\nb\r\n", [["a"], ["b"]]),
        ("\"\"", [["\"\""]]),
        ("", []),
        (" \n;\n\t ; x\n", []),
    ])
    func `are split into tokens`(text: String, expected: [[String]]) {
        #expect(entries(text) == expected)
    }

    @Test func `start with a blank if the owner is omitted`() {
        var lexer = MasterFileLexer(file: "f", octets: Array("a b\n\tc\n( d )\n ( e )".utf8))
        var starts: [Bool] = []
        while lexer.nextEntry() { starts.append(lexer.startsWithBlank) }
        #expect(starts == [false, true, false, true])
    }

    @Test func `have a line, and a place for each octet`() {
        let text = "\nä ( b\n  ü c )\nd"
        var lexer = MasterFileLexer(file: "f", octets: Array(text.utf8))
        _ = lexer.nextEntry()
        #expect(lexer.entryLine == 2)
        var places: [String] = []
        for token in lexer.tokens { places.append(lexer.place(of: token.place).description) }
        #expect(places == ["f:2:1", "f:2:5", "f:3:3", "f:3:5"])
        _ = lexer.nextEntry()
        #expect(lexer.place(of: lexer.tokens[0].start).description == "f:4:1")
    }

    @Test(arguments: [
        ("a (\nb", 2), ("a ) b", 2), ("a \"b\nc", 2), ("a b\\\nc", 3), ("a\rb", 1), ("a b\0", 3),
        ("a ;\0", 3), ("\\\0", 1), ("\"", 0), ("(", 0), ("\\", 0),
    ])
    func `that are malformed have an error at its octet`(text: String, offset: Int) {
        var lexer = MasterFileLexer(file: "f", octets: Array(text.utf8))
        _ = lexer.nextEntry()
        #expect(lexer.fault?.offset == offset)
    }

    @Test func `are quoted without control characters, and shortened if they are long`() {
        let long = String(repeating: "x", count: 500)
        let text = "\u{1B}[31m\u{7} \u{202E}é\t" + long
        let lexer = MasterFileLexer(file: "f", octets: Array(text.utf8) + [0xFF])
        #expect(lexer.excerpt(at: 0).hasPrefix("\\027[31m\\007 \\226\\128\\174é xxx"))
        #expect(lexer.excerpt(at: 0).hasSuffix("x…"))
        #expect(lexer.excerpt(at: 0).count < 160)
        #expect(lexer.excerpt(at: 300) == "…" + String(repeating: "x", count: 120) + "…")
    }
}

@Suite struct `Zone file times` {
    private func read(_ text: String) -> TimeToLive.Reading {
        let octets = Array(text.utf8)
        return TimeToLive.read(octets.span, 0..<octets.count, limit: TimeToLive.maximum)
    }

    @Test(arguments: [
        ("0", 0), ("3600", 3600), ("1h30m", 5400), ("1W2d3H4m5S", 788_645),
        ("2147483647", Int32.max),
        ("1s1s", 2), ("0w5s", 5), ("000000000000000000000000007", 7),
    ])
    func `are seconds, or a sequence of units`(text: String, seconds: Int32) {
        #expect(read(text) == .seconds(UInt32(seconds)))
    }

    @Test(arguments: ["", "h", "1h30", "1x", "-1", "1 ", "1.5h", "A"])
    func `do not accept other text`(text: String) { #expect(read(text) == .notATime) }

    @Test(arguments: [
        "2147483648", "4294967296", "99999999999999999999999999", "3551w", "99999999999999999w9d",
    ])
    func `beyond 31 bits are too large`(text: String) { #expect(read(text) == .tooLarge) }
}

@Suite struct `Zone file addresses` {
    private func v4(_ octets: [UInt8]) -> [UInt8]? {
        var output: [UInt8] = []
        return AddressText.appendV4(octets.span, 0..<octets.count, to: &output) ? output : nil
    }

    private func v6(_ octets: [UInt8]) -> [UInt8]? {
        var output: [UInt8] = []
        return AddressText.appendV6(octets.span, 0..<octets.count, to: &output) ? output : nil
    }

    @Test func `are accepted and refused exactly as by libldns`() throws {
        var random = SeededGenerator(seed: 4)
        let alphabets = [Array("0123456789.".utf8), Array("0123456789abcdefF:.:::".utf8)]
        let seeds = [
            "192.0.2.1", "0.0.0.0", "255.255.255.255", "::", "::1", "1::", "2001:db8::1",
            "1:2:3:4:5:6:7:8", "::ffff:192.0.2.1", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8",
            "1:2:3:4:5:6:192.0.2.1", "fe80::1:2",
        ].map { Array($0.utf8) }
        var accepted = 0
        for _ in 0..<20_000 {
            var text = seeds.randomElement(using: &random) ?? []
            for _ in 0..<Int.random(in: 0...3, using: &random) where !text.isEmpty {
                let alphabet = alphabets.randomElement(using: &random) ?? []
                let octet = alphabet.randomElement(using: &random) ?? 0
                let place = Int.random(in: 0..<text.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: text[place] = octet
                case 1: text.insert(octet, at: place)
                default: text.remove(at: place)
                }
            }
            let shown = String(decoding: text, as: UTF8.self)
            #expect(v4(text) == (try? LdnsField.address(text, isV4: true)), "\(shown)")
            #expect(v6(text) == (try? LdnsField.address(text, isV4: false)), "\(shown)")
            if v4(text) != nil || v6(text) != nil { accepted += 1 }
        }
        #expect(accepted > 2_000)
    }
}

extension LdnsField {
    /// Returns the octets that libldns reads from an address.
    static func address(_ text: [UInt8], isV4: Bool) throws -> [UInt8] {
        let shape = try #require(RdataShape(isV4 ? .a : .aaaa))
        return try LdnsField(try #require(shape.fields.first), text: text).octets
    }
}
