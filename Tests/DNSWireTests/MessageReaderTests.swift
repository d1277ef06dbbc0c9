import DNSWire
import TestSupport
import Testing

@Suite struct `A message of an upstream` {
    /// A message with a question, an alias to a compressed name, an address, an SOA and an OPT.
    private static let sample: [UInt8] = {
        var message: [UInt8] = [0, 1, 0x81, 0x80, 0, 1, 0, 2, 0, 1, 0, 1]
        message += [3, 0x77, 0x77, 0x77, 7] + Array("example".utf8) + [3] + Array("org".utf8)
        message += [0, 0, 1, 0, 1]
        message += Answer.record(.cname, ttl: 60, [2, 0x64, 0x62, 0xC0, 16])
        message += Answer.record(owner: [2, 0x64, 0x62, 0xC0, 16], .a, ttl: 30, [192, 0, 2, 1])
        message += Answer.record(
            owner: [0xC0, 16],
            .soa,
            ttl: 9,
            [0xC0, 16, 0xC0, 16] + .init(repeating: 0, count: 20)
        )
        return message + [0, 0, 41, 4, 0xD0, 0, 0, 0, 0, 0, 0]
    }()

    /// Reads all records including their names.
    private func read(_ message: [UInt8]) throws -> [(
        record: MessageReader.Record, owner: DomainName
    )] {
        let span = message.span
        var reader = try MessageReader(span)
        try reader.skipQuestion(of: span)
        var records: [(MessageReader.Record, DomainName)] = []
        while let record = try reader.next(in: span) {
            records.append((record, try span.name(at: record.owner)))
        }
        return records
    }

    @Test func `is read record by record, section by section`() throws {
        let records = try read(Self.sample)
        #expect(records.map(\.record.type) == [.cname, .a, .soa, .opt])
        #expect(records.map(\.record.section) == [.answer, .answer, .authority, .additional])
        #expect(records.map(\.record.ttl) == [60, 30, 9, 0])
        #expect(
            records.map { "\($0.owner)" }
                == ["www.example.org.", "db.example.org.", "example.org.", "."]
        )
        let address = records[1].record
        #expect(Self.sample[address.rdata..<address.rdataEnd] == [192, 0, 2, 1])
        #expect("\(try name(in: Self.sample, at: records[0].record.rdata))" == "db.example.org.")
    }

    @Test func `cut at any octet is an error`() {
        for length in 0..<Self.sample.count {
            #expect(throws: WireError.self) { try read(Array(Self.sample[..<length])) }
        }
    }

    @Test func `with changed octets never traps, and every record lies inside it`() {
        var random = SeededGenerator(seed: 3)
        for _ in 0..<30_000 {
            var message = Self.sample
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let place = Int.random(in: 0..<message.count, using: &random)
                message[place] = UInt8.random(in: 0...255, using: &random)
            }
            guard let records = try? read(message) else { continue }
            for (record, owner) in records {
                #expect(record.rdataEnd <= message.count)
                #expect(owner.octets.count <= 255)
            }
        }
    }

    @Test func `of random octets never traps`() {
        var random = SeededGenerator(seed: 4)
        for _ in 0..<30_000 {
            let count = Int.random(in: 0...300, using: &random)
            let message = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            _ = try? read(message)
        }
    }

    private func name(in message: [UInt8], at offset: Int) throws -> DomainName {
        try message.span.name(at: offset)
    }

    private static let header = [UInt8](repeating: 0, count: 12)

    @Test(
        arguments: [
            // Pointers to itself, forwards, into the header, and to each other.
            [0xC0, 12], [0xC0, 14, 0, 0], [0xC0, 0], [0xC0, 11], [1, 0x61, 0xC0, 12],
            [0xC0, 14, 0xC0, 12],
        ] as [[UInt8]]
    )
    func `with a pointer that does not lead backwards is refused`(octets: [UInt8]) {
        let message = Self.header + octets
        #expect(throws: WireError.self) { try name(in: message, at: 12) }
        let last = Self.header + [1, 0x61, 0xC0, 16, 0xC0, 14]
        #expect(throws: WireError.self) { try name(in: last, at: 16) }
    }

    @Test(arguments: [0x40, 0x80, 0xBF] as [UInt8])
    func `with a reserved kind of label is refused`(length: UInt8) {
        let message = Self.header + [length] + .init(repeating: 0, count: 200)
        #expect(throws: WireError.notALabel(offset: 12)) { try name(in: message, at: 12) }
    }

    @Test func `with pointers that make a name of over 255 octets is refused`() throws {
        let label = [63] + [UInt8](repeating: 0x61, count: 63)
        let message = Self.header + label + label + label + [0] + label + [0xC0, 12]
        #expect("\(try name(in: message, at: 12))".utf8.count == 192)
        #expect(throws: WireError.nameTooLong(offset: 205)) { try name(in: message, at: 205) }
    }

    /// Returns a name of `length` octets whose labels have 63 octets, except the last one.
    @Test(arguments: 250...260, [true, false])
    func `of up to 255 octets is read, inline and through a pointer`(
        length: Int,
        isCompressed: Bool
    ) throws {
        let label = [63] + [UInt8](repeating: 0x61, count: 63)
        let rest = length - 3 * 64 - 1
        let first = [UInt8(rest - 1)] + [UInt8](repeating: 0x62, count: rest - 1)
        let message =
            isCompressed
            ? Self.header + label + label + label + [0] + first + [0xC0, 12]
            : Self.header + first + label + label + label + [0]
        let place = isCompressed ? 12 + 3 * 64 + 1 : 12
        guard rest - 1 <= 63 else { return }
        // Every way of reading must check the limit itself, because not all make a `DomainName`.
        var folded = FoldedName(seed: HashSeed(value: 1))
        var octets = 0
        if length <= 255 {
            #expect(try name(in: message, at: place).octets.count == length)
            try folded.read(compressedIn: message.span, at: place)
            try message.span.forEachLabel(ofNameAt: place) { octets += $1 }
            #expect(folded.count == length && octets == length)
        } else {
            let error = WireError.nameTooLong(offset: place)
            #expect(throws: error) { try name(in: message, at: place) }
            #expect(throws: error) {
                try message.span.forEachLabel(ofNameAt: place) { octets += $1 }
            }
            #expect(octets <= 255)
            var thrown: WireError?
            do throws(WireError) {
                try folded.read(compressedIn: message.span, at: place)
            } catch {
                thrown = error
            }
            #expect(thrown == error)
        }
    }

    @Test func `written by ReplyWriter reads back the same`() throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 512, alignment: 8)
        defer { unsafe buffer.deallocate() }
        // Sound: the buffer outlives the writer, and nothing else uses it.
        var writer = unsafe ReplyWriter(buffer, limit: 512)
        for value in [7, 0x8180, 1, 1, 0, 0] as [UInt16] { writer.write16(value) }
        let name = try #require(DomainName("db.example.org"))
        writer.write(name.octets.span)
        writer.write16(RecordType.a.rawValue)
        writer.write16(1)
        try writer.writeName(of: Self.sample.span, at: 12)
        for value in [1, 1, 0, 300, 4] as [UInt16] { writer.write16(value) }
        writer.write32(0xC000_0201)
        let octets = writer.withOctets { octets in octets.indices.map { octets[$0] } }
        let records = try read(octets)
        #expect(records.count == 1)
        #expect("\(records[0].owner)" == "www.example.org.")
        #expect(records[0].record.ttl == 300)
    }

    @Test func `that does not fit is written up to its limit and not past it`() {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 8)
        defer { unsafe buffer.deallocate() }
        // Sound: the buffer outlives the writer, and nothing else uses it.
        var writer = unsafe ReplyWriter(buffer, limit: 20)
        for _ in 0..<9 { writer.write16(1) }
        let mark = writer.count
        writer.write32(1)
        writer.write8(1)
        let (wasFull, count) = (writer.isFull, writer.count)
        #expect(wasFull && count == mark)
        writer.rewind(to: mark)
        writer.write16(2)
        let (isFull, end) = (writer.isFull, writer.count)
        #expect(!isFull && end == 20)
    }
}
