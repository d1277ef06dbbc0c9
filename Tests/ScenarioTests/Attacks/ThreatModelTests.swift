import Foundation
import TestSupport
import Testing

/// Checks the tables of docs/threat-model.md and their links.
@Suite struct `The threat model` {
    /// A row of the table of attacks.
    private struct Row {
        var number: String
        var reaction: String
        var tests: [TestLink]
    }

    private static func rows() throws -> [Row] {
        let path = Project.path("docs/threat-model.md")
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let table = text.split(separator: "## Attacks and tests").last ?? ""
        return table.split(separator: "\n").compactMap(DocumentRow.init).dropFirst().map { row in
            Row(number: row.cells[0], reaction: row.cells[2], tests: row.tests)
        }
    }

    @Test func `names a test that exists for each attack, or says why there is none`() throws {
        let rows = try Self.rows()
        #expect(rows.count > 20)
        for row in rows {
            #expect(!row.tests.isEmpty || row.reaction.hasPrefix("not applicable"), "\(row.number)")
            for test in row.tests {
                #expect(test.holds, "\(test.file): \(test.name)")
                guard test.name.hasPrefix("attack ") else { continue }
                #expect(test.name.hasPrefix("attack \(row.number): "), "\(test.name)")
            }
        }
    }

    @Test func `names the attacks that show what comes of each who can send something`() throws {
        let path = Project.path("docs/threat-model.md")
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let section = text.split(separator: "## ").first { $0.hasPrefix("Who can send what") }
        let senders = (section ?? "").split(separator: "\n").compactMap(DocumentRow.init)
        #expect(senders.count > 10)
        let known = Set(try Self.rows().map(\.number))
        for sender in senders.dropFirst() {
            if let test = sender.tests.first {
                #expect(test.holds, "\(sender)")
            } else {
                let attacks = sender.cells.last ?? ""
                let numbers = attacks.split { $0 == "," || $0 == " " }.map(String.init)
                #expect(!numbers.isEmpty && known.isSuperset(of: numbers), "\(sender)")
            }
        }
    }

    @Test func `has every test that is named after an attack`() throws {
        let known = Set(try Self.rows().flatMap { $0.tests.map(\.name) })
        let folder = FileManager.default.enumerator(atPath: Project.path("Tests"))
        var count = 0
        while let file = folder?.nextObject() as? String {
            guard file.hasSuffix(".swift") else { continue }
            let path = Project.path("Tests/" + file)
            let source = try String(contentsOfFile: path, encoding: .utf8)
            for match in source.matches(of: /func `(attack [0-9]+: [^`]+)`/) {
                count += 1
                #expect(known.contains(String(match.1)), "\(file): \(match.1)")
            }
        }
        #expect(count > 30)
    }
}
