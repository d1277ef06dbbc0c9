package import DNSWire

/// Valid rdata of a type, and invalid rdata that resolvers drop.
package struct RdataSample: Sendable {
    package let type: RecordType
    package let good: [UInt8]
    package let bad: [[UInt8]]

    private init(_ type: UInt16, _ good: [UInt8], bad: [UInt8]...) {
        self.type = RecordType(rawValue: type)
        self.good = good
        self.bad = bad
    }

    private static func nulls(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }
    private static func ones(_ count: Int) -> [UInt8] { [UInt8](repeating: 1, count: count) }

    /// A name, `x.example`.
    private static let name: [UInt8] = [1, 120, 7] + "example".utf8 + [0]

    /// Types that BIND parses, each shorter than its fixed part or not filled by its fields.
    package static let all: [RdataSample] = [
        RdataSample(11, [192, 0, 2, 1, 6, 0x40], bad: [192, 0, 2, 1]),
        RdataSample(13, [1, 65, 1, 66], bad: [1, 65], [1, 65, 2, 66], [1, 65, 1, 66, 1, 67]),
        RdataSample(16, [1, 65, 0], bad: [], [2, 65], [1, 65, 3, 66]),
        RdataSample(99, [1, 65], bad: [], [2, 65]),
        RdataSample(20, [1, 65], bad: [2, 65]),
        RdataSample(27, [1, 49, 1, 50, 1, 51], bad: [1, 49, 1, 50], [1, 49, 1, 50, 2, 51]),
        RdataSample(
            29,
            [0, 0x12, 0x16, 0x13] + [0x80, 0, 0, 0] + [0x80, 0, 0, 0] + [0, 0x98, 0x96, 0x80],
            bad: [0, 0x12, 0x16, 0x13] + [0x80, 0, 0, 0] + [0x80, 0, 0, 0] + [0, 0x98, 0x96]
        ),
        RdataSample(37, [0, 1, 0, 2, 3, 9], bad: [0, 1, 0, 2]),
        RdataSample(42, [0, 1, 24, 3, 192, 0, 2], bad: [0, 1, 24, 3, 192, 0], [0, 1, 24]),
        RdataSample(43, [0, 1, 13, 2] + ones(32), bad: [0, 1, 13], [0, 1, 13, 2] + ones(31)),
        RdataSample(44, [1, 1] + ones(20), bad: [1], [1, 1] + ones(19)),
        RdataSample(46, [0, 16, 13, 2] + ones(14) + name + [9], bad: [0, 16, 13, 2] + ones(14)),
        RdataSample(47, name + [0, 1, 0x40], bad: name, name + [0, 0], name + [0, 2, 0x40]),
        RdataSample(48, [1, 0, 3, 13] + ones(64), bad: [1, 0, 3]),
        RdataSample(
            50,
            [1, 0, 0, 0, 0, 20] + ones(20) + [0, 1, 0x40],
            bad: [1, 0, 0, 0],
            [1, 0, 0, 0, 2, 9],
            [1, 0, 0, 0, 0, 1, 9, 0, 1, 0x40],
            [1, 0, 0, 0, 0, 20] + ones(19)
        ),
        RdataSample(51, [1, 0, 0, 0, 1, 9], bad: [1, 0, 0, 0], [1, 0, 0, 0, 2, 9]),
        RdataSample(52, [3, 1, 1] + ones(32), bad: [3, 1]),
        RdataSample(53, [3, 1, 1] + ones(32), bad: [3, 1]),
        RdataSample(59, [0, 1, 13, 2] + ones(32), bad: [0, 1, 13]),
        RdataSample(60, [1, 0, 3, 13] + ones(64), bad: [1, 0, 3]),
        RdataSample(62, nulls(6) + [0, 1, 0x40], bad: nulls(5)),
        RdataSample(65, [0, 1, 0, 0, 3, 0, 2, 1, 0xBB], bad: [0, 1, 0, 0, 3, 0, 2, 1], [0]),
        RdataSample(104, nulls(10), bad: nulls(9)),
        RdataSample(105, nulls(6), bad: nulls(5)),
        RdataSample(108, nulls(6), bad: nulls(5)),
        RdataSample(109, nulls(8), bad: nulls(7)),
        RdataSample(256, [0, 1, 0, 2] + "x:y".utf8, bad: [0, 1, 0]),
        RdataSample(257, [0, 5] + "issue".utf8 + "a.b".utf8, bad: [0], [0, 5, 105], [0, 0, 105]),
    ]
}
