import Foundation
import TestSupport
import Testing

/// What the documents name is there, and what is there is in the reference.
@Suite struct `The documents` {
    @Test func `link files and headings that are there`() throws {
        for page in try Documentation.pages() {
            let folder = URL(filePath: Project.path(page)).deletingLastPathComponent()
            for match in try Documentation.text(of: page).matches(of: /\]\(([^)#]*)(?:#([^)]*))?\)/)
            {
                let target = String(match.1)
                guard !target.contains(":") else { continue }
                let file =
                    target.isEmpty ? Project.path(page) : folder.appending(path: target).path()
                #expect(FileManager.default.fileExists(atPath: file), "\(page): \(match.0)")
                guard let anchor = match.2, file.hasSuffix(".md") else { continue }
                let linked = try Documentation.anchors(ofFile: file)
                #expect(linked.contains(String(anchor)), "\(page): \(match.0)")
            }
        }
    }

    @Test func `name commands and options that are there`() throws {
        let commands = try CommandHelp.all()
        // Those of other programs stand beside.
        let others = ["output", "works", "filter"]
        let options = Set(commands.values.flatMap(\.options) + ["help", "version"] + others)
        for page in try Documentation.pages() {
            for text in try Documentation.commands(in: page) where !text.hasPrefix("--") {
                let command = commands.first { "zonal \(text)".hasPrefix($0.key) }
                #expect(command != nil, "\(page): zonal \(text)")
                for match in text.matches(of: /--([a-z-]+)/) {
                    let name = String(match.1)
                    #expect(command?.value.options.contains(name) ?? false, "\(page): \(text)")
                }
            }
            for code in try Documentation.code(in: page) {
                if let option = code.wholeMatch(of: /--([a-z-]+).*/) {
                    #expect(options.contains(String(option.1)), "\(page): \(code)")
                }
                if let name = code.wholeMatch(of: /zonal ([a-z]+)(?: .*)?/) {
                    let isThere = commands.keys.contains { $0.hasPrefix("zonal \(name.1)") }
                    #expect(isThere, "\(page): \(code)")
                }
            }
        }
    }

    @Test func `name keys of the configuration that are there`() throws {
        let text = try Documentation.text(of: "docs/reference/configuration.md")
        let keys = Set(text.matches(of: /(?m)^#+ ([a-z.-]+)$/).map { String($0.1) })
        let words = Set(keys.flatMap { $0.split(separator: ".").map(String.init) })
        #expect(keys.count > 60)
        // The one tells of keys that were, the other of forwarders' keys.
        let apart = ["CHANGELOG.md", "docs/how-to/in-front-and-behind.md"]
        let pages = try Documentation.pages().filter { !apart.contains($0) }
        for page in pages {
            for code in try Documentation.code(in: page) {
                if let path = code.wholeMatch(of: /([a-z-]+)\.[a-z.-]+/),
                    keys.contains(String(path.1))
                {
                    let isFile = code.contains(/\.(yaml|md|zone|conf|json|yml)$/)
                    #expect(isFile || keys.contains(code), "\(page): \(code)")
                }
                if let entry = code.wholeMatch(of: /([a-z-]+): [^ ]+/) {
                    #expect(words.contains(String(entry.1)), "\(page): \(code)")
                }
            }
        }
    }

    @Test func `have every option of every command`() throws {
        let path = "docs/reference/commands.md"
        var text = try Documentation.text(of: path)
        for (words, help) in try CommandHelp.all() {
            let start = try #require(
                text.firstRange(of: "<!-- options of \(words) -->\n"),
                "\(words)"
            )
            let end = try #require(text[start.upperBound...].firstRange(of: "<!-- end -->"))
            let shown = start.upperBound..<end.lowerBound
            if Documentation.isWritten { text.replaceSubrange(shown, with: help.table) }
            #expect(Documentation.isWritten || text[shown] == help.table, "\(words); run make docs")
            #expect(text.contains("\n## \(words)\n"), "\(words)")
        }
        guard Documentation.isWritten else { return }
        try text.write(toFile: Project.path(path), atomically: true, encoding: .utf8)
    }

    @Test func `have every message of the log, with its level`() throws {
        let (messages, documented) = (try LogMessage.all(), try LogMessage.documented())
        #expect(messages.count > 20)
        for message in messages {
            #expect(documented.contains(message), "not in log-messages.md: \(message)")
        }
        // These two are put together where they are logged.
        let others = documented.subtracting(messages).filter { $0.level != "line" }
        let known = others.filter { $0.text.hasPrefix("/etc/resolv.conf names … without an") }
        #expect(others == known)
    }

    @Test func `have every counter of the status, and no other`() throws {
        let text = try Documentation.text(of: "docs/reference/counters.md")
        let line = try #require(text.firstMatch(of: /(?m)^received \d+.*$/)).output
        let counters = Set(
            line.split(separator: ", ").compactMap { $0.split(separator: " ").first }
        )
        let tables = text.prefix { $0 != "\u{0}" }.split(separator: "\n## Other figures")[0]
        let rows = Set(tables.matches(of: /(?m)^\| `([a-z-]+)` \|/).map(\.1))
        #expect(counters.count > 15)
        #expect(rows == counters)
    }

    @Test func `have every extended error that is sent, with its text`() throws {
        let source = try Documentation.text(of: "Sources/DNSWire/Messages/ResponseCode.swift")
        let answers = try Documentation.text(of: "docs/reference/answers.md")
        let texts = source.matches(of: /(?m)^ +case \.[a-zA-Z, .]+: "(.+)"$/).map(\.1)
        #expect(texts.count > 8)
        for text in texts { #expect(answers.contains("| \(text) |"), "\(text)") }
        let codes = source.matches(of: /let [a-zA-Z]+ = Self\(rawValue: ([\d_]+)\)/).map(\.1)
        #expect(codes.count > 12)
    }
}

extension Documentation {
    /// The anchors of a page by its place in the file system.
    static func anchors(ofFile file: String) throws -> Set<String> {
        let root = Project.path("")
        let path = URL(filePath: file).standardizedFileURL.path()
        return try anchors(of: String(path.dropFirst(root.count)))
    }
}
