import DNSWire
import Snapshot
import TestSupport
import Testing

@Suite struct `Overlaps of prefixes` {
    @Test func `are the same as in a comparison of all pairs`() throws {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<500 {
            let places = (0..<Int.random(in: 1...12, using: &random)).map { _ in
                (prefix: prefix(&random), owner: Int.random(in: 0...4, using: &random))
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

    /// Returns IPv4 prefixes, and IPv6 prefixes around the mapped IPv4 addresses.
    private func prefix(_ random: inout SeededGenerator) -> IPPrefix {
        let short = Int.random(in: 0...8, using: &random)
        switch Int.random(in: 0...3, using: &random) {
        case 0: return IPPrefix(IPAddress(bits: 0), length: 10 * short)
        case 1:
            let bits = UInt128(UInt8.random(in: 0...255, using: &random)) << 120
            return IPPrefix(IPAddress(bits: bits), length: short)
        default:
            let address = IPAddress(v4: UInt32.random(in: 0...255, using: &random) << 24)
            return IPPrefix(address, length: 96 + short)
        }
    }

    @Test func `of a hundred thousand owners of one prefix are found quickly`() throws {
        let prefix = try #require(IPPrefix("172.31.0.0/16"))
        let places = (0..<100_000).map { (prefix: prefix, owner: $0) }
        let clock = ContinuousClock()
        let time = clock.measure { #expect(PrefixOverlaps.owners(of: places).count == 100_000) }
        #expect(time < .seconds(20))
    }
}
