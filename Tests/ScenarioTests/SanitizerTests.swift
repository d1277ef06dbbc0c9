import Foundation
import TestSupport
import Testing

/// The suppressions of ThreadSanitizer.
@Suite struct `The suppressions of ThreadSanitizer` {
    @Test func `name the files that hold a Mutex, and no others`() throws {
        let list = try String(
            contentsOfFile: Project.path("Tests/ThreadSanitizer.supp"),
            encoding: .utf8
        )
        let named = list.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
        #expect(named.sorted() == (try Self.holders()).map { "race_top:/\($0)" }.sorted())
    }

    private static func holders() throws -> [String] {
        let sources = FileManager.default.enumerator(
            at: Project.root.appending(path: "Sources"),
            includingPropertiesForKeys: nil
        )
        let files = try #require(sources).compactMap { $0 as? URL }
        return try files.filter { file in
            guard file.pathExtension == "swift" else { return false }
            return try String(contentsOf: file, encoding: .utf8).contains(/Mutex[<(]/)
        }.map(\.lastPathComponent)
    }
}
