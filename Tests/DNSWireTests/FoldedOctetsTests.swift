import DNSWire
import TestSupport
import Testing

@Suite struct `Case-insensitive comparison of names` {
    private let seed = HashSeed(value: 11)

    @Test func `treats names that differ only in letter case as equal, with equal hashes`() {
        var random = SeededGenerator(seed: 31)
        let alphabet = Array("aAbBzZ@[`{-0\u{1}?".utf8) + [0xC1, 0xE1]
        var equalPairs = 0
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...20, using: &random)
            let one = (0..<count).map { _ in alphabet.randomElement(using: &random) ?? 0 }
            var other = one.map { octet in
                Bool.random(using: &random) ? DomainName.fold(octet) : octet
            }
            if let place = other.indices.randomElement(using: &random), Bool.random(using: &random)
            {
                other[place] = alphabet.randomElement(using: &random) ?? 0
            }
            let isEqual = one.map(DomainName.fold) == other.map(DomainName.fold)
            let isFound = one.span.equalsFolded(other.span)
            let (hash, otherHash) = (one.span.foldedHash(seed), other.span.foldedHash(seed))
            #expect(isFound == isEqual)
            #expect((hash == otherHash) == isEqual)
            if isEqual { equalPairs += 1 }
        }
        #expect((5_000..<19_000).contains(equalPairs))
    }

    @Test func `distinguishes a name from its prefix`() {
        let octets: [UInt8] = Array(repeating: 0, count: 20)
        let hashes = (0...20).map { octets.span.extracting(0..<$0).foldedHash(seed) }
        #expect(Set(hashes).count == 21)
        let isEqual = octets.span.equalsFolded(octets.span.extracting(0..<19))
        #expect(!isEqual)
    }

    @Test func `gives another hash with another seed`() {
        let octets = Array("example".utf8)
        let (one, other) = (seed, HashSeed(value: 12))
        let (hash, otherHash) = (octets.span.foldedHash(one), octets.span.foldedHash(other))
        #expect(hash != otherHash)
    }
}
