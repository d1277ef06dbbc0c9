import DNSWire
import TestSupport
import Testing

@Suite struct `Rdata` {
    private static func fits(_ type: RecordType, _ rdata: [UInt8]) throws -> Bool {
        let record = Answer.record(type, ttl: 60, rdata)
        let message = Answer.message(
            to: QueryMessage.of("www.example.org", type),
            answers: [record]
        )
        var reader = try MessageReader(message.span)
        try reader.skipQuestion(of: message.span)
        let found = try reader.next(in: message.span)
        return RdataShape.fits(try #require(found), in: message.span)
    }

    @Test(arguments: RdataSample.all.indices)
    func `that is invalid for its type is distinguished from valid rdata`(index: Int) throws {
        let sample = RdataSample.all[index]
        #expect(try Self.fits(sample.type, sample.good), "\(sample.type)")
        for bad in sample.bad { #expect(try !Self.fits(sample.type, bad), "\(sample.type) \(bad)") }
    }

    /// The rdata of some of these types contains its own lengths.
    @Test(
        arguments: [
            (45, [1, 1, 2, 192, 0, 2, 1], 6),
            (45, [1, 2, 2] + [UInt8](repeating: 1, count: 16), 18),
            (55, [1, 2, 0, 1, 7, 8], 5), (260, [1, 1, 192, 0, 2, 1], 5), (38, [128, 0], 1),
            (63, [UInt8](repeating: 0, count: 5) + [9] + [UInt8](repeating: 1, count: 12), 17),
        ] as [(UInt16, [UInt8], Int)]
    )
    func `is too short where a part of it is missing`(type: UInt16, whole: [UInt8], count: Int)
        throws
    {
        let type = RecordType(rawValue: type)
        #expect(try Self.fits(type, whole))
        #expect(try !Self.fits(type, Array(whole.prefix(count))))
        #expect(try !Self.fits(type, []))
    }

    @Test func `of an unknown type is always valid`() throws {
        for rdata in [[], [1], [UInt8](repeating: 0xC0, count: 300)] {
            #expect(try Self.fits(RecordType(rawValue: 65_280), rdata))
        }
    }

    @Test func `without compression shows where its names are`() {
        let name: [UInt8] = [1, 120, 0]
        let soa = name + name + [UInt8](repeating: 0, count: 20)
        #expect(RdataShape.names(in: soa.span, of: .soa) == [0..<3, 3..<6])
        #expect(RdataShape.names(in: ([0, 1] + name).span, of: .https) == [2..<5])
        #expect(RdataShape.names(in: [0, 1].span, of: .https).isEmpty)
        #expect(RdataShape.names(in: [192, 0, 2, 1].span, of: .a).isEmpty)
    }
}
