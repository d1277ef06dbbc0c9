import Foundation
import TestSupport

/// A line of a table in one of our documents.
struct DocumentRow {
    var cells: [String]
    /// The tests that it links.
    var tests: [TestLink]

    /// Nil for a line that is none of a table.
    init?(_ line: Substring) {
        guard line.hasPrefix("| ") else { return nil }
        cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        tests = line.matches(of: /\[([^\]]+)\]\(\.\.\/([^)]+)\)/).map {
            TestLink(name: String($0.1), file: String($0.2))
        }
    }
}

/// A test that a document names, as a link to its file.
struct TestLink {
    var name: String
    var file: String

    /// True if the file has a test of that name.
    var holds: Bool {
        let source = try? String(contentsOfFile: Project.path(file), encoding: .utf8)
        return source?.contains("func `\(name)`") == true
    }
}
