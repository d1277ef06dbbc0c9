import DNSWire
import TestSupport
import Testing

@Suite struct `The names of a message` {
    /// Returns octets after an empty header, with names at the offsets `at`, counted from 12.
    private static func message(_ octets: [UInt8]) -> [UInt8] {
        [UInt8](repeating: 0, count: Header.size) + octets
    }

    private static let www: [UInt8] =
        [3] + "www".utf8 + [7] + "example".utf8 + [3] + "org".utf8 + [0]

    @Test func `have equal numbers if they are equal, regardless of case and compression`() throws {
        let upper = [3] + Array("WWW".utf8) + [0xC0, 16]
        let message = Self.message(Self.www + upper + [0xC0, 16] + [0xC0, 12])
        var names = NameTable(of: message.span)
        let www = try names.number(ofNameAt: 12, in: message.span)
        #expect(try names.number(ofNameAt: 29, in: message.span) == www)
        #expect(try names.number(ofNameAt: 37, in: message.span) == www)
        let parent = try names.number(ofNameAt: 35, in: message.span)
        #expect(parent == names.parent(of: www))
        #expect(names.isInside(www, parent) && !names.isInside(parent, www))
        #expect(names.line(of: www).count == 4)
        #expect(names.length(of: www) == 17)
        #expect(names.firstLabel(of: www) == 12..<16)
    }

    @Test func `are counted once each, however they are written`() throws {
        var random = SeededGenerator(seed: 4)
        var octets: [UInt8] = []
        var places: [(place: Int, name: DomainName)] = []
        for _ in 0..<300 {
            let place = Header.size + octets.count
            let labels = (0..<Int.random(in: 1...3, using: &random)).flatMap { _ -> [UInt8] in
                [1, UInt8.random(in: 65...68, using: &random)]
            }
            let rest = places.isEmpty ? nil : places.randomElement(using: &random)
            guard let name = DomainName(octets: labels + (rest?.name.octets ?? [0])) else {
                continue
            }
            let end: [UInt8] =
                rest.map { [0xC0 | UInt8($0.place >> 8), UInt8($0.place & 0xFF)] } ?? [0]
            octets += labels + end
            places.append((place, name))
        }
        let message = Self.message(octets)
        var names = NameTable(of: message.span)
        var numbers: [DomainName: NameTable.Number] = [:]
        for (place, name) in places.shuffled(using: &random) {
            let number = try names.number(ofNameAt: place, in: message.span)
            #expect(numbers[name] ?? number == number)
            numbers[name] = number
        }
        #expect(Set(numbers.values).count == numbers.count)
    }

    @Test func `are substituted at an ancestor, unless the result is too long`() throws {
        let label: [UInt8] = [59] + [UInt8](repeating: 120, count: 59)
        let long = Array([label, label, label, label].joined()) + [0]
        let message = Self.message(Self.www + long)
        var names = NameTable(of: message.span)
        let www = try names.number(ofNameAt: 12, in: message.span)
        let example = names.parent(of: www)
        let org = names.parent(of: example)
        let target = try names.number(ofNameAt: 29, in: message.span)
        let substitute = names.substitute(target, for: example, in: www, of: message.span)
        let moved = try #require(substitute)
        #expect(names.length(of: moved) == 245 && names.parent(of: moved) == target)
        let room = names.substitute(target, for: org, in: www, of: message.span)
        #expect(room.map(names.length) == 253)
        let none = names.substitute(target, for: NameTable.root, in: www, of: message.span)
        #expect(none == nil)
    }

    @Test(
        arguments: [
            [0xC0, 12], [0xC0, 14, 0xC0, 12], [1, 97, 0xC0, 12], [0xC0, 200], [0xC0, 2], [64, 0],
            [5, 97],
            [0xC0],
        ] as [[UInt8]]
    )
    func `that loop, lead forwards or end too soon are errors`(octets: [UInt8]) {
        let message = Self.message(octets)
        var names = NameTable(of: message.span)
        #expect(throws: WireError.self) { try names.number(ofNameAt: 12, in: message.span) }
        #expect(throws: WireError.self) { try message.span.name(at: 12) }
    }

    @Test func `of over 255 octets are errors, inline and by pointer`() throws {
        let label: [UInt8] = [50] + [UInt8](repeating: 120, count: 50)
        let four = Array([label, label, label, label].joined())
        let message = Self.message(four + [0] + label + [0xC0, 12])
        var names = NameTable(of: message.span)
        let whole = try names.number(ofNameAt: 12, in: message.span)
        #expect(names.length(of: whole) == 205)
        #expect(throws: WireError.nameTooLong(offset: 217)) {
            try names.number(ofNameAt: 217, in: message.span)
        }
    }
}
