import DNSWire
import Testing

@Suite struct `Iterating over the labels of an uncompressed name` {
    /// Returns the labels as text, and the offset at which the iteration ended.
    private static func walk(_ octets: [UInt8], from start: Int = 0) -> (labels: [String], end: Int)
    {
        var cursor = LabelCursor(at: start)
        var labels: [String] = []
        while let label = cursor.next(in: octets.span) {
            labels.append(String(decoding: octets[label], as: UTF8.self))
        }
        #expect(cursor.next(in: octets.span) == nil)
        return (labels, cursor.place)
    }

    @Test func `returns each label once and ends at the root label`() throws {
        let name = try #require(DomainName("db.internal.example")).octets
        let walked = Self.walk([9, 9] + name + [3], from: 2)
        #expect(walked.labels == ["db", "internal", "example"])
        #expect(walked.end == 2 + name.count - 1)
    }

    @Test func `returns labels of 63 octets`() {
        let octets = [63] + [UInt8](repeating: 0x61, count: 63) + [0]
        #expect(Self.walk(octets).labels.map(\.utf8.count) == [63])
        #expect(Self.walk(octets).end == 64)
    }

    @Test(arguments: [
        [1, 0x61, 2, 0x62], [1, 0x61, 1], [1, 0x61], [1, 0x61, 0xC0, 0x0C], [1, 0x61, 0x40, 0x62],
        [1, 0x61, 0x40] + [UInt8](repeating: 0x62, count: 64) + [0],
    ])
    func `ends at an incomplete label`(octets: [UInt8]) {
        #expect(Self.walk(octets).labels == ["a"])
        #expect(Self.walk(octets).end == 2)
    }

    @Test(arguments: [-1, 3, 4])
    func `returns nothing for no octets`(start: Int) {
        #expect(Self.walk([1, 0x61, 0], from: start).labels.isEmpty)
    }

    @Test(arguments: [[], [""], ["a", ""], [String(repeating: "a", count: 64)]])
    func `gives labels that make the same name, and invalid labels make none`(
        labels: [String]
    ) throws {
        let parent = try #require(DomainName("example.org"))
        let name = DomainName(labels: labels.map(\.utf8), before: parent)
        #expect(name == (labels.isEmpty ? parent : nil))
    }
}
