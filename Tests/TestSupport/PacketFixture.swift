import Foundation

/// A message of `Fixtures/packets`, written as `CommentedHex`.
///
/// The first comment is the expected reply: a `ReplySummary`, or `nothing`.
package struct PacketFixture: Sendable {
    /// The file's name without `.hex`: the attack's number and the defect.
    package var name: String
    package var octets: [UInt8]
    /// The expected reply; nil for none.
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
        octets = try CommentedHex.octets(of: text)
    }
}
