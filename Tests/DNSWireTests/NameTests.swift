import DNSWire
import TestSupport
import Testing

@Suite struct `A domain name` {
    @Test(arguments: [
        ("example.org", "example.org."), ("Example.ORG.", "Example.ORG."), (".", "."),
        ("a\\.b.example", "a\\.b.example."), ("\\097.example", "a.example."),
        ("x\\032y.example", "x\\032y.example."), ("\\000\\255.example", "\\000\\255.example."),
        ("*.example", "*.example."), ("_https._tcp.example", "_https._tcp.example."),
    ])
    func `is read and printed as master-file text`(text: String, printed: String) throws {
        let name = try #require(DomainName(text))
        #expect("\(name)" == printed)
        #expect(DomainName("\(name)") == name)
    }

    @Test(arguments: [
        "", "..", ".example", "a..b", "a.b..", "\\", "a\\25", "a\\256.b", "a\\2x5",
        String(repeating: "a", count: 64), String(repeating: "abcdefg.", count: 32),
    ])
    func `is nil for invalid text`(text: String) { #expect(DomainName(text) == nil) }

    @Test func `has labels of at most 63 octets and 255 octets in all`() {
        let label = String(repeating: "a", count: 63)
        let longest = "\(label).\(label).\(label).\(String(repeating: "b", count: 61))"
        #expect(DomainName(longest)?.octets.count == 255)
        #expect(DomainName(longest + "b") == nil)
    }

    @Test func `converts to text and back, whatever its octets`() throws {
        var random = SeededGenerator(seed: 5)
        for _ in 0..<3_000 {
            let name = try #require(Self.random(using: &random))
            #expect(DomainName("\(name)")?.octets == name.octets)
            #expect(DomainName(octets: name.octets)?.octets == name.octets)
        }
    }

    @Test func `is made from octets only if they are exactly one name`() throws {
        var random = SeededGenerator(seed: 6)
        for _ in 0..<500 {
            let octets = try #require(Self.random(using: &random)).octets
            for length in 0..<octets.count { #expect(DomainName(octets: octets[..<length]) == nil) }
            #expect(DomainName(octets: octets + [0]) == nil)
        }
        #expect(DomainName(octets: [64] + .init(repeating: 1, count: 64) + [0]) == nil)
        #expect(DomainName(octets: [] as [UInt8]) == nil)
    }

    @Test func `knows its ancestors`() throws {
        let name = try #require(DomainName("www.Example.org"))
        for ancestor in [".", "org", "EXAMPLE.org", "www.example.org"] {
            #expect(name.isInside(try #require(DomainName(ancestor))))
        }
        for stranger in ["xample.org", "ww.example.org", "com", "a.www.example.org"] {
            #expect(!name.isInside(try #require(DomainName(stranger))))
        }
        #expect(name.parent.map { "\($0)" } == "Example.org.")
        #expect(DomainName.root.parent == nil)
    }

    /// Returns a name with random labels.
    static func random(using random: inout SeededGenerator) -> DomainName? {
        var octets: [UInt8] = []
        for _ in 0..<Int.random(in: 0...5, using: &random) {
            let count = Int.random(in: 1...Int.random(in: 1...40, using: &random), using: &random)
            octets.append(UInt8(count))
            octets += (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
        }
        return DomainName(octets: octets + [0])
    }
}

@Suite struct `A folded name` {
    private let seed = HashSeed(value: 99)

    @Test func `is equal and hashes equally in any letter case`() throws {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<1_000 {
            let name = try #require(`A domain name`.random(using: &random))
            let other = name.octets.map { octet in
                (97...122).contains(octet) && Bool.random(using: &random) ? octet & 0xDF : octet
            }
            // Length octets are below 64, so folding does not change them.
            #expect(hashes(of: name) == hashes(of: try #require(DomainName(octets: other))))
        }
    }

    /// Returns the hashes of all suffixes.
    private func hashes(of name: DomainName) -> [UInt64] {
        var folded = FoldedName(seed: seed)
        folded.read(name)
        return (0...folded.labelCount).map { folded.hash(ofSuffix: $0) }
    }

    @Test func `hashes each suffix like a name of its own`() throws {
        var name = try #require(DomainName("a.b.Example.org"))
        let whole = hashes(of: name)
        for suffix in 0...4 {
            #expect(hashes(of: name).first == whole[suffix])
            name = name.parent ?? .root
        }
    }

    @Test func `has other hashes with another seed`() throws {
        let name = try #require(DomainName("www.example.org"))
        var other = FoldedName(seed: HashSeed(value: 100))
        other.read(name)
        let hash = other.hash(ofSuffix: 0)
        #expect(hashes(of: name).first != hash)
    }

    @Test func `is read from a message only if the name is valid`() throws {
        let octets = try #require(DomainName("www.example.org")).octets
        for length in 0..<octets.count { #expect(read(Array(octets[..<length]), at: 0) == nil) }
        #expect(read(octets, at: -1) == nil)
        #expect(read(octets, at: octets.count) == nil)
        #expect(read(octets, at: 4) == "example.org.")
    }

    private func read(_ octets: [UInt8], at offset: Int) -> String? {
        var name = FoldedName(seed: seed)
        let isRead = name.read(octets.span, at: offset)
        return isRead ? "\(name.name)" : nil
    }
}
