import Foundation
import TestSupport
import Testing

/// Pages for operators, run as they stand there; `make docs` writes what the commands print.
@Suite(
    .serialized,
    .enabled(if: NetworkNamespaces.arePossible, "needs root, iproute2 and network namespaces"),
    .documentMachines
)
struct `Sessions of the documents` {
    @Test(arguments: [
        "quick-start", "troubleshooting", "how-to/behind-an-nlb", "how-to/hub-vpc",
        "how-to/import-aws", "how-to/in-front-and-behind", "how-to/kubernetes",
        "how-to/on-premises", "how-to/pair", "how-to/resolv-conf", "reference/commands",
        "reference/counters", "reference/zone-files",
    ])
    func `every command prints what the page shows`(page: String) throws {
        let written = try ConsoleDocument("docs/\(page).md")
        #expect(!written.commands.isEmpty)
        var run = written
        try run.run(on: try #require(DocumentMachines.current))
        if Documentation.isWritten {
            let path = Project.path(run.path)
            try run.text.write(toFile: path, atomically: true, encoding: .utf8)
        }
        for (shown, printed) in zip(written.commands, run.commands) {
            #expect(printed.output == shown.output, "\(page): \(shown.text)")
        }
    }

    @Test func `no page with a session is left out`() throws {
        for path in try Documentation.pages() where path.hasPrefix("docs/") {
            let document = try ConsoleDocument(path)
            guard !document.commands.isEmpty else { continue }
            let source = Project.path("Tests/ScenarioTests/Documents/DocumentSessionTests.swift")
            let page = path.dropFirst("docs/".count).dropLast(".md".count)
            let tests = try String(contentsOfFile: source, encoding: .utf8)
            #expect(tests.contains("\"\(page)\""), "\(path)")
        }
    }
}

extension SuiteTrait where Self == SharedWorld<DocumentMachines> {
    fileprivate static var documentMachines: Self {
        SharedWorld(DocumentMachines.$current) { try DocumentMachines() }
    }
}
