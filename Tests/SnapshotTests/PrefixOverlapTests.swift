import DNSWire
import Snapshot
import TestSupport
import Testing

@Suite struct `Overlaps of prefixes` {
    @Test func `are those that a comparison of all pairs finds`() throws {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<500 {
            let places = (0..<Int.random(in: 1...12, using: &random)).map { _ in
                let address = IPAddress(v4: UInt32.random(in: 0...255, using: &random) << 24)
                let length = 96 + Int.random(in: 0...8, using: &random)
                return (
                    prefix: IPPrefix(address, length: length),
                    owner: Int.random(in: 0...4, using: &random)
                )
            }
            var expected: Set<Int> = []
            for one in places {
                for other in places
                where one.owner != other.owner && one.prefix.overlaps(other.prefix) {
                    expected.formUnion([one.owner, other.owner])
                }
            }
            #expect(PrefixOverlaps.owners(of: places) == expected, "\(places)")
        }
    }

    @Test func `of a hundred thousand owners of one prefix are found at once`() throws {
        let prefix = try #require(IPPrefix("172.31.0.0/16"))
        let places = (0..<100_000).map { (prefix: prefix, owner: $0) }
        let clock = ContinuousClock()
        let time = clock.measure { #expect(PrefixOverlaps.owners(of: places).count == 100_000) }
        #expect(time < .seconds(20))
    }
}
