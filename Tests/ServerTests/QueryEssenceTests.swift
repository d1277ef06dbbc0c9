import DNSWire
import Testing

@testable import Server

@Suite struct `What is kept of a query` {
    private static let question: [UInt8] =
        [3] + Array("Www".utf8) + [7] + Array("example".utf8) + [3] + Array("org".utf8)
        + [0, 0, 28, 0, 1]
    private static let cookie: [UInt8] = [0, 10, 0, 24] + (1...24).map { UInt8($0) }
    private static let identifier: [UInt8] = [0, 3, 0, 0]
    private static let keepalive: [UInt8] = [0, 11, 0, 0]

    /// A query with RD and CD, records before OPT, and OPT with `options` and DO.
    private static func message(_ options: [UInt8], padding: Int) -> [UInt8] {
        let records = padding / 512
        let record: [UInt8] =
            [0, 0, 16, 0, 1, 0, 0, 0, 0, 2, 0] + [UInt8](repeating: 7, count: 512)
        let count = UInt16(records + 1)
        let head: [UInt8] = [
            0x12, 0x34, 1, 0x10, 0, 1, 0, 0, 0, 0, UInt8(count >> 8), UInt8(count & 0xFF),
        ]
        let opt: [UInt8] = [
            0, 0, 41, 4, 0xD0, 0, 0, 0x80, 0, UInt8(options.count >> 8),
            UInt8(options.count & 0xFF),
        ]
        return head + question + (0..<records).flatMap { _ in record } + opt + options
    }

    @Test func `is all of a short one`() {
        let message = Self.message(Self.cookie, padding: 0)
        #expect(Query.kept(of: message.span) == message)
        let broken = [UInt8](repeating: 255, count: 1000)
        #expect(Query.kept(of: broken.span) == broken)
    }

    @Test(arguments: [[], cookie, identifier + keepalive, keepalive + cookie + identifier])
    func `is of a long one what its answer depends on`(options: [UInt8]) throws {
        let unknown: [UInt8] = [0xFD, 0xE9, 0x10, 0] + [UInt8](repeating: 9, count: 4096)
        let message = Self.message(options + unknown + options, padding: 50_000)
        let kept = Query.kept(of: message.span)
        #expect(kept.count <= 12 + Self.question.count + 11 + 44 + 8)
        let (before, after) = (try Query(reading: message.span), try Query(reading: kept.span))
        #expect(kept[12..<after.questionEnd] == message[12..<before.questionEnd])
        #expect(after.id == before.id && after.flags == before.flags && after.type == before.type)
        let (one, other) = (try #require(before.edns), try #require(after.edns))
        #expect(one.payloadSize == other.payloadSize && one.dnssecOK == other.dnssecOK)
        #expect(one.options.asksForIdentifier == other.options.asksForIdentifier)
        #expect(one.options.asksForKeepalive == other.options.asksForKeepalive)
        #expect((one.options.cookie == nil) == (other.options.cookie == nil))
        if let place = one.options.cookie, let kept2 = other.options.cookie {
            #expect(
                message[place.start..<place.start + place.length]
                    == kept[kept2.start..<kept2.start + kept2.length]
            )
        }
    }

    @Test func `without OPT has none`() throws {
        var message = Self.message([], padding: 2048)
        message.removeLast(11)
        message[11] -= 1
        let kept = Query.kept(of: message.span)
        #expect(kept.count == 12 + Self.question.count)
        #expect(try Query(reading: kept.span).edns == nil)
    }
}
