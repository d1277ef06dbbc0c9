import DNSWire
import Snapshot
import Testing

@Suite struct `A table of numbers` {
    @Test func `finds every number that was added, and no other`() {
        let seed = HashSeed(value: 3)
        var table = NumberTable()
        let keys = (0..<10_000).map { UInt64($0) * 7 }
        for (number, key) in keys.enumerated() {
            #expect(table.find(seed.hash(key)) { keys[$0] == key } == nil)
            table.insert(number, hash: seed.hash(key))
        }
        for (number, key) in keys.enumerated() {
            #expect(table.find(seed.hash(key)) { keys[$0] == key } == number)
            #expect(table.find(seed.hash(key + 1)) { keys[$0] == key + 1 } == nil)
        }
    }

    @Test func `distinguishes numbers with equal hashes by their items`() {
        var table = NumberTable(expecting: 100)
        for number in 0..<100 { table.insert(number, hash: 42) }
        for number in 0..<100 { #expect(table.find(42) { $0 == number } == number) }
        #expect(table.find(42) { _ in false } == nil)
        #expect(table.find(43) { _ in true } == nil)
    }
}
