import Control
import DNSWire
import Foundation
import Glibc
import Snapshot
import TestSupport
import Testing

@Suite struct `Hostile zone files` {
    @Test func `made by random changes of good files are always read to the end`() throws {
        var random = SeededGenerator(seed: 2_024)
        let files = try ZoneFileFixtures.good.map { name in
            Array(try ZoneFileFixtures.text("good/\(name)").utf8)
        }
        let spice = Array("\0\"();\\$@.\r\n\t 09azAZ#{}/-,=\u{FF}".utf8) + [0xC3, 0xEF, 0xFF]
        var refused = 0
        for _ in 0..<2_000 {
            var octets = files.randomElement(using: &random) ?? []
            for _ in 0..<Int.random(in: 1...6, using: &random) where !octets.isEmpty {
                let place = Int.random(in: 0..<octets.count, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: octets[place] = spice.randomElement(using: &random) ?? 0
                case 1: octets.insert(spice.randomElement(using: &random) ?? 0, at: place)
                case 2: octets.remove(at: place)
                case 3: octets.removeSubrange(place..<min(place + 20, octets.count))
                default:
                    let end = min(place + 40, octets.count)
                    octets.insert(contentsOf: octets[place..<end], at: place)
                }
            }
            let (zone, diagnostics) = try ZoneFileFixtures.read(octets: octets)
            let hasErrors = diagnostics.contains { $0.severity == .error }
            #expect((zone == nil) == hasErrors)
            if let zone { _ = ZonePrinter.lines(of: zone) } else { refused += 1 }
            #expect(diagnostics.allSatisfy { !$0.message.contains("\n") })
        }
        #expect(refused > 500)
    }

    /// Repeated lines, made on demand, because test arguments are printed.
    struct TenMegabytes: CustomTestStringConvertible, Sendable {
        var head = ""
        var repeated: String
        var count: Int
        var tail = ""

        var text: String { head + String(repeating: repeated, count: count) + tail }
        var testDescription: String { "\(head)\(repeated) … \(tail.prefix(8))" }
    }

    private static let huge = [
        TenMegabytes(repeated: "x", count: 10_000_000),
        TenMegabytes(head: "a TXT ", repeated: "x ", count: 5_000_000),
        TenMegabytes(head: "a TXT \"", repeated: "x", count: 10_000_000),
        TenMegabytes(head: "a TXT ( ", repeated: "(", count: 10_000_000),
        TenMegabytes(
            head: "a A ",
            repeated: "(",
            count: 5_000_000,
            tail: String(repeating: ")", count: 5_000_000)
        ),
        TenMegabytes(head: "a TXT ", repeated: "\\", count: 10_000_001),
        TenMegabytes(head: "a TYPE65280 \\# 65535 ", repeated: "ab", count: 5_000_000),
        TenMegabytes(head: "a SVCB 1 . ", repeated: "key9=", count: 2_000_000),
        TenMegabytes(head: "a NSEC b ", repeated: "A ", count: 5_000_000),
        TenMegabytes(head: "a CNAME ", repeated: "a.", count: 5_000_000),
        TenMegabytes(head: "a LOC ", repeated: "1 ", count: 60_000),
        TenMegabytes(repeated: "a A 1\n", count: 500_000),
        TenMegabytes(repeated: "\n", count: 10_000_000, tail: "a"),
        TenMegabytes(repeated: "(\n", count: 5_000_000),
    ]

    @Test(arguments: huge)
    func `of ten megabytes give a few errors, and soon`(file: TenMegabytes) throws {
        let text = file.text
        var messages: [String] = []
        let time = try Self.processorTime { messages = try ZoneFileFixtures.messages(of: text) }
        // The limit without optimisation; an optimised build takes a tenth.
        #expect(time < .seconds(12), "\(time)")
        #expect((1...ZoneFileReader.errorLimit + 1).contains(messages.count))
        #expect(messages.allSatisfy { $0.utf8.count < 1_000 })
    }

    @Test func `with many records at one name take linear time`() throws {
        func timeEach(_ count: Int) throws -> Duration {
            let lines = (0..<count).map { "a TXT \"\($0 / 6)\"\na\($0) CNAME a" }
            let text = ZoneFileFixtures.head + lines.joined(separator: "\n")
            return try Self.processorTime {
                let (zone, diagnostics) = try ZoneFileFixtures.read(text)
                #expect(diagnostics.isEmpty)
                #expect(zone?.records.count == 2 + (count + 5) / 6 + count)
            } / count
        }
        _ = try timeEach(100)
        let (few, many) = (try timeEach(2_000), try timeEach(20_000))
        // Comparing each with all previous ones would take ten times as long.
        #expect(many < few * 4, "\(few) of 2,000, \(many) of 20,000")
    }

    /// Returns the CPU time of this thread, which does not depend on other load.
    private static func processorTime(_ body: () throws -> Void) rethrows -> Duration {
        func now() -> Duration {
            var time = timespec()
            // Sound: the value is a local variable that outlives the call.
            _ = unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
        }
        let start = now()
        try body()
        return now() - start
    }

    @Test func `without a final line end, or with CR LF, are accepted`() throws {
        let lines = try ZoneFileFixtures.lines(of: "a A 192.0.2.1\r\n\r\nb A 192.0.2.2")
        #expect(
            lines == ["a.example.org. 3600 IN A 192.0.2.1", "b.example.org. 3600 IN A 192.0.2.2"]
        )
    }
}

@Suite struct `Zone rdata as text` {
    @Test(arguments: [
        (RecordType.a, [192, 0, 2, 1], "192.0.2.1"),
        (.txt, [2, 0x68, 0x69, 1, 0x22], "\"hi\" \"\\\"\""),
        (.mx, [0, 10, 1, 0x61, 0], "10 a."),
        (RecordType(rawValue: 65_280), [1, 2], "\\# 2 0102"),
        (RecordType(rawValue: 65_280), [], "\\# 0"),
        (.a, [1, 2, 3], "\\# 3 010203"),
        (.a, [1, 2, 3, 4, 5], "\\# 5 0102030405"),
        (.ns, [1, 0x61], "\\# 2 0161"),
        (RecordType(rawValue: 34), [0, 1], "\\# 2 0001"),
    ])
    func `is what ldns prints, or the form of RFC 3597`(
        type: RecordType,
        rdata: [UInt8],
        expected: String
    ) {
        #expect(ZonePrinter.rdataText(type: type, rdata: rdata) == expected)
    }

    @Test func `is made of any octets of any type`() {
        var random = SeededGenerator(seed: 7)
        for type in (UInt16(0)...270).map(RecordType.init(rawValue:)) {
            for _ in 0..<60 {
                let count = Int.random(in: 0...40, using: &random)
                let rdata = (0..<count).map { _ in
                    Bool.random(using: &random)
                        ? UInt8.random(in: 0...4, using: &random)
                        : UInt8.random(in: 0...255, using: &random)
                }
                let text = ZonePrinter.rdataText(type: type, rdata: rdata)
                #expect(!text.isEmpty && !text.contains("\n"), "\(type) \(rdata)")
            }
        }
    }
}
