import Foundation
import TestSupport
import Testing

/// A row of a table in one of our documents.
struct DocumentRow {
    var cells: [String]
    /// The tests that it links to.
    var tests: [TestLink]

    /// Nil for a line that is not in a table.
    init?(_ line: Substring) {
        guard line.hasPrefix("| ") else { return nil }
        cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        tests = line.matches(of: /\[([^\]]+)\]\(\.\.\/([^)]+)\)/).map {
            TestLink(name: String($0.1), file: String($0.2))
        }
    }
}

/// A link from a document to a test in its file.
struct TestLink {
    var name: String
    var file: String

    /// Returns true if the file has an enabled test of that name with expectations.
    var holds: Bool {
        let source = try? String(contentsOfFile: Project.path(file), encoding: .utf8)
        return source.map { Self.hasTest(name, in: $0) } ?? false
    }

    /// True if a function of that name is a test, is enabled, and has expectations.
    ///
    /// The expectations may be in a helper: a function in the same file that the test calls by
    /// name.
    static func hasTest(_ name: String, in source: String) -> Bool {
        guard let function = source.firstRange(of: "func `\(name)`") else { return false }
        let before = source[..<function.lowerBound]
        guard let mark = before.ranges(of: "@Test").last else { return false }
        let attributes = before[mark.upperBound...]
        let isMarked = ["func ", "}\n", "struct ", "var "].allSatisfy { !attributes.contains($0) }
        guard isMarked, !attributes.contains(".disabled") else { return false }
        let body = body(of: source[function.upperBound...])
        return expects(body, in: source, depth: 3)
    }

    /// The text up to the end of the function.
    private static func body(of source: Substring) -> Substring {
        source.firstRange(of: "\n    }\n").map { source[..<$0.lowerBound] } ?? source
    }

    private static func expects(_ body: Substring, in source: String, depth: Int) -> Bool {
        let words = ["#expect(", "#require(", "Issue.record("]
        if words.contains(where: { body.contains($0) }) { return true }
        return depth > 0
            && helpers(of: body, in: source).contains { expects($0, in: source, depth: depth - 1) }
    }

    private static func helpers(of body: Substring, in source: String) -> [Substring] {
        source.matches(of: /func ([a-zA-Z]+)[(<]/).filter { body.contains("\($0.1)(") }
            .map { self.body(of: source[$0.range.upperBound...]) }
    }
}

@Suite struct `Links to tests` {
    private static func source(_ head: String, _ body: String = "#expect(true)") -> String {
        "@Suite struct `S` {\n    \(head) func `a test`() {\n        \(body)\n    }\n\n    func other() {\n        #expect(true)\n    }\n}\n"
    }

    @Test(arguments: [
        ("@Test", "#expect(true)", true), ("@Test(arguments: 1...3)", "#expect(true)", true),
        ("@Test(.enabled(if: true))", "_ = try #require(x)", true), ("@Test", "other()", true),
        ("", "#expect(true)", false), ("@Test(.disabled())", "#expect(true)", false),
        ("@Test", "_ = 1", false), ("@Test func `b`() {\n    }\n\n    ", "#expect(true)", false),
    ])
    func `hold if the test is marked, runs and expects something`(
        head: String,
        body: String,
        holds: Bool
    ) {
        #expect(TestLink.hasTest("a test", in: Self.source(head, body)) == holds)
        #expect(!TestLink.hasTest("another test", in: Self.source(head, body)))
    }
}
