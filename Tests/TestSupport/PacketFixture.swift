import Foundation

/// A message of `Fixtures/packets`, written as hexadecimal digits with comments.
///
/// `#` begins a comment, the first of which says what is expected: a `ReplySummary`, or `nothing`. `"text"` stands
/// for its octets, and `x30` behind either for thirty times the same.
package struct PacketFixture: Sendable {
    /// The file's name without `.hex`: the attack's number, and what is wrong.
    package var name: String
    package var octets: [UInt8]
    /// How it is answered; nil if not at all.
    package var expected: String?

    private static let folder = Project.path("Tests/Fixtures/packets/")

    package struct Fault: Error {
        package var description: String
    }

    /// The names of all fixtures of one attack.
    package static func names(ofAttack number: Int) -> [String] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return files.filter { $0.hasPrefix("\(number)-") && $0.hasSuffix(".hex") }
            .map { String($0.dropLast(4)) }.sorted()
    }

    package init(_ name: String) throws {
        self.name = name
        let text = try String(contentsOfFile: Self.folder + name + ".hex", encoding: .utf8)
        let mark = "# expect: "
        guard let first = text.split(separator: "\n").first(where: { $0.hasPrefix(mark) }) else {
            throw Fault(description: "\(name) does not say what is expected")
        }
        expected = first == mark + "nothing" ? nil : String(first.dropFirst(mark.count))
        octets = try text.split(separator: "\n").flatMap { line in
            let line = line.prefix { $0 != "#" }
            return try line.split(separator: " ").flatMap { try Self.octets(of: $0, name) }
        }
    }

    private static func octets(of word: Substring, _ name: String) throws -> [UInt8] {
        if let times = word.wholeMatch(of: /(.+)x([0-9]+)/) {
            let once = try octets(of: times.1, name)
            return (0..<(Int(times.2) ?? 0)).flatMap { _ in once }
        }
        if word.first == "\"" { return Array(word.dropFirst().dropLast().utf8) }
        let digits = word.compactMap(\.hexDigitValue)
        guard digits.count == word.count, digits.count % 2 == 0 else {
            throw Fault(description: "\(name): \(word)")
        }
        return stride(from: 0, to: digits.count, by: 2).map {
            UInt8(digits[$0] << 4 | digits[$0 + 1])
        }
    }
}
