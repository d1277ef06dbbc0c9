import DNSWire
import Snapshot
import Testing

@Suite struct `RRsets of a zone file` {
    /// Up to eight records are compared with each other; more use a hash table.
    @Test(arguments: [1, 2, 4, 5, 40])
    func `lose their duplicates, few or many, anywhere in the file`(count: Int) throws {
        let numbers = 0..<count
        let lines = try ZoneFileFixtures.lines(
            of: (numbers.map { "a MX 10 Host\($0)\na TXT \"t\($0)\"\nb\($0) A 192.0.2.1" }
                + numbers.map { "A MX 10 hOST\($0)\na TXT \"T\($0)\"\nB\($0) A 192.0.2.1" })
                .joined(separator: "\n")
        )
        let expected = numbers.flatMap { number in
            [
                "a.example.org. 3600 IN MX 10 Host\(number).example.org.",
                "a.example.org. 3600 IN TXT \"t\(number)\"",
                "a.example.org. 3600 IN TXT \"T\(number)\"",
                "b\(number).example.org. 3600 IN A 192.0.2.1",
            ]
        }
        #expect(lines.sorted() == expected.sorted())
    }

    @Test func `of one name keep their own TTLs, in any order`() throws {
        let lines = try ZoneFileFixtures.lines(
            of: """
                a 10 A 192.0.2.1
                a 20 TXT x
                a 30 AAAA 2001:db8::1
                b 40 A 192.0.2.1
                A 10 A 192.0.2.2
                A 30 AAAA 2001:db8::2
                A 20 TXT y
                """
        )
        #expect(
            lines == [
                "a.example.org. 10 IN A 192.0.2.1", "a.example.org. 20 IN TXT \"x\"",
                "a.example.org. 30 IN AAAA 2001:db8::1", "b.example.org. 40 IN A 192.0.2.1",
                "A.example.org. 10 IN A 192.0.2.2", "A.example.org. 30 IN AAAA 2001:db8::2",
                "A.example.org. 20 IN TXT \"y\"",
            ]
        )
    }
}
