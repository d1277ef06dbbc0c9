import DNSWire
import TestSupport
import Testing

@Suite struct `A query` {
    /// `ssm.example.org A IN` with an OPT that has two options.
    private static let withOPT: [UInt8] =
        [0x12, 0x34, 0x01, 0x10, 0, 1, 0, 0, 0, 0, 0, 1]
        + [3, 0x73, 0x73, 0x6D, 7] + Array("example".utf8) + [3] + Array("org".utf8) + [0]
        + [0, 1, 0, 1]
        + [0, 0, 41, 4, 0xD0, 0, 0, 0x80, 0, 0, 16]
        + [0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 3, 0, 0]

    private static let plain = QueryMessage.of("ssm.example.org", .aaaa, id: 7)

    private func read(_ message: [UInt8]) throws(QueryError) -> Query {
        try Query(reading: message.span)
    }

    @Test func `gives its question and its OPT`() throws {
        let query = try read(Self.withOPT)
        #expect(query.id == 0x1234)
        #expect(query.flags == 0x0110)
        #expect(query.nameLength == 17)
        #expect(query.type == .a)
        #expect(query.recordClass == 1)
        #expect(query.questionEnd == 33)
        let edns = try #require(query.edns)
        #expect(edns.payloadSize == 1232)
        #expect(edns.version == 0)
        #expect(edns.dnssecOK)
        let cookie = try #require(edns.options.cookie)
        #expect((cookie.start, cookie.length) == (48, 8))
        #expect(edns.options.asksForIdentifier)
        #expect(!edns.options.asksForKeepalive)
    }

    @Test func `without an OPT has no EDNS data`() throws {
        let query = try read(Self.plain)
        #expect(query.edns == nil)
        #expect(query.type == .aaaa)
    }

    @Test(arguments: [withOPT, plain])
    func `cut at any octet is an error`(message: [UInt8]) {
        for length in 0..<message.count {
            let cut = Array(message[..<length])
            if length < 12 {
                #expect(throws: QueryError.tooShort) { try read(cut) }
            } else {
                #expect(throws: QueryError.self) { try read(cut) }
            }
        }
    }

    @Test func `with an extra octet is an error at that octet`() {
        #expect(throws: QueryError.malformed(offset: Self.plain.count)) {
            try read(Self.plain + [0])
        }
    }

    @Test func `that is a response is refused`() {
        var message = Self.plain
        message[2] |= 0x80
        #expect(throws: QueryError.notAQuery) { try read(message) }
    }

    @Test(arguments: 1...15)
    func `with another opcode is read, or reported as such if it can't be`(opcode: UInt8) throws {
        var message = Self.plain
        message[2] |= opcode << 3
        #expect(try read(message).opcode == UInt16(opcode))
        #expect(throws: QueryError.opcode) { try read(message + [0]) }
        #expect(throws: QueryError.opcode) { try read(Array(message[..<12])) }
    }

    @Test func `without a question requests a cookie, or is malformed`() throws {
        let question = Header.size..<33
        var message = Self.withOPT
        message[5] = 0
        message.removeSubrange(question)
        let query = try read(message)
        #expect(!query.hasQuestion)
        #expect(query.questionEnd == Header.size)
        let withoutCookie = Array(message[..<21]) + [0, 0]
        #expect(throws: QueryError.malformed(offset: 4)) { try read(withoutCookie) }
    }

    @Test(arguments: [0, 7, 9, 15, 41])
    func `with a cookie of invalid length is malformed`(length: Int) {
        var message = Self.plain
        message[11] = 1
        message += [0, 0, 41, 4, 0xD0, 0, 0, 0, 0, 0, UInt8(4 + length), 0, 10, 0, UInt8(length)]
        message += [UInt8](repeating: 7, count: length)
        #expect(throws: QueryError.malformedCookie) { try read(message) }
    }

    @Test func `of a later EDNS version may have unreadable options`() throws {
        var message = Self.withOPT
        message[message.count - 21] = 1
        message[message.count - 1] = 9
        #expect(try read(message).edns?.version == 1)
        #expect(try read(message).edns?.options == EDNSOptions())
        message[message.count - 21] = 0
        #expect(throws: QueryError.self) { try read(message) }
    }

    @Test(arguments: [2, 0xFFFF] as [UInt16])
    func `with more questions than one is malformed`(count: UInt16) {
        var message = Self.plain
        (message[4], message[5]) = (UInt8(count >> 8), UInt8(count & 0xFF))
        #expect(throws: QueryError.malformed(offset: 4)) { try read(message) }
    }

    @Test func `never has a compressed name`() {
        var message = Self.plain
        message.replaceSubrange(12..<message.count, with: [0xC0, 12, 0, 1, 0, 1])
        #expect(throws: QueryError.malformed(offset: 12)) { try read(message) }
    }

    @Test func `may have a name of 255 octets, but not of 256`() throws {
        let label = [63] + [UInt8](repeating: 0x61, count: 63)
        let rest = label + label + label
        let head = Array(Self.plain[..<12])
        let longest = rest + [61] + [UInt8](repeating: 0x62, count: 61) + [0]
        #expect(try read(head + longest + [0, 1, 0, 1]).nameLength == 255)
        let longer = rest + [62] + [UInt8](repeating: 0x62, count: 62) + [0]
        #expect(throws: QueryError.self) { try read(head + longer + [0, 1, 0, 1]) }
    }

    @Test func `with two OPT records is malformed`() {
        var message = Self.withOPT
        message[11] = 2
        message += [0, 0, 41, 4, 0xD0, 0, 0, 0, 0, 0, 0]
        #expect(throws: QueryError.self) { try read(message) }
    }

    @Test func `with an OPT that is not owned by the root is malformed`() {
        var message = Self.plain
        message[11] = 1
        message += [1, 0x61, 0, 0, 41, 4, 0xD0, 0, 0, 0, 0, 0, 0]
        #expect(throws: QueryError.self) { try read(message) }
    }

    @Test func `with an option beyond the end of the OPT is malformed`() {
        var message = Self.withOPT
        message[message.count - 1] = 5
        #expect(throws: QueryError.self) { try read(message) }
    }

    @Test func `may contain other records, which are skipped`() throws {
        var message = Self.plain
        message[9] = 1
        message += [0xC0, 12, 0, 6, 0, 1, 0, 0, 0, 0, 0, 2, 9, 9]
        #expect(try read(message).type == .aaaa)
    }

    @Test func `of random octets never traps and is hardly ever well formed`() {
        var random = SeededGenerator(seed: 1)
        var accepted = 0
        for _ in 0..<30_000 {
            let count = Int.random(in: 0...120, using: &random)
            let message = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            if (try? read(message)) != nil { accepted += 1 }
        }
        #expect(accepted < 5)
    }

    @Test func `with changed octets never traps, and all offsets are inside it`() {
        var random = SeededGenerator(seed: 2)
        for _ in 0..<30_000 {
            var message = Self.withOPT
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let place = Int.random(in: 2..<message.count, using: &random)
                message[place] = UInt8.random(in: 0...255, using: &random)
            }
            guard let query = try? read(message) else { continue }
            #expect((query.hasQuestion ? 1...255 : 0...0).contains(query.nameLength))
            #expect(query.questionEnd <= message.count)
            if let cookie = query.edns?.options.cookie {
                #expect(cookie.start + cookie.length <= message.count)
            }
        }
    }
}
