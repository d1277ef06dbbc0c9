import DNSWire

/// A set of prefixes that finds the one containing another.
struct PrefixSet {
    private let prefixes: Set<IPPrefix>
    private let lengths: [Int]

    init(_ prefixes: some Sequence<IPPrefix>) {
        self.prefixes = Set(prefixes)
        lengths = Set(self.prefixes.map(\.length)).sorted()
    }

    func holds(_ prefix: IPPrefix) -> Bool {
        lengths.contains { length in
            length <= prefix.length && (length >= 96 || !prefix.isV4)
                && prefixes.contains(IPPrefix(prefix.first, length: length))
        }
    }

    func holds(_ address: IPAddress) -> Bool { holds(IPPrefix(address, length: 128)) }
}
