import DNSWire
import Snapshot

/// Numbers the names of a zone in order of appearance; names that differ only in letter case share
/// a number.
struct NodeTable {
    /// The position of a name in the arena.
    struct Name {
        var offset: UInt32
        var length: UInt8

        var range: Range<Int> { Int(offset)..<Int(offset) + Int(length) }
    }

    private(set) var names: [Name] = []
    private var numbers = NumberTable()
    private let seed = HashSeed.random()

    var count: Int { names.count }

    /// Returns the number of a name in the arena; adds the name if it is new.
    mutating func number(of name: Name, in octets: Span<UInt8>) -> Int {
        let text = octets.extracting(name.range)
        let hash = text.foldedHash(seed)
        if let known = find(text, hash, in: octets) { return known }
        numbers.insert(names.count, hash: hash)
        names.append(name)
        return names.count - 1
    }

    /// Returns the number of a wire-format name; nil if no record has it.
    func find(_ name: Span<UInt8>, in octets: Span<UInt8>) -> Int? {
        find(name, name.foldedHash(seed), in: octets)
    }

    private func find(_ name: Span<UInt8>, _ hash: UInt64, in octets: Span<UInt8>) -> Int? {
        numbers.find(hash) { octets.extracting(names[$0].range).equalsFolded(name) }
    }
}
