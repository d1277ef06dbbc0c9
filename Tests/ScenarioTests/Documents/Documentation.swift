import Foundation
import TestSupport

/// Every page of the documentation, and what is found in all of them.
enum Documentation {
    /// `make docs` wants the pages written.
    static let isWritten = ProcessInfo.processInfo.environment["ZONAL_WRITE_DOCS"] == "1"

    /// The paths of all pages, below the project's folder.
    static func pages() throws -> [String] {
        let below = try FileManager.default.subpathsOfDirectory(atPath: Project.path("docs"))
        return ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"]
            + below.filter { $0.hasSuffix(".md") }.map { "docs/\($0)" }.sorted()
    }

    static func text(of page: String) throws -> String {
        try String(contentsOfFile: Project.path(page), encoding: .utf8)
    }

    /// The anchors of a page, as GitHub makes them of its headings.
    static func anchors(of page: String) throws -> Set<String> {
        let headings = try text(of: page).matches(of: /(?m)^#+ (.+)$/)
        return Set(headings.map { anchor(of: String($0.1)) })
    }

    private static func anchor(of heading: String) -> String {
        heading.lowercased().replacing(/[^\p{L}\p{N}_ -]/, with: "").replacing(" ", with: "-")
    }

    /// The texts in backquotes of a page, those of blocks excepted.
    static func code(in page: String) throws -> [String] {
        let prose = try text(of: page).replacing(/(?s)\n```.*?\n```/, with: "")
        return prose.matches(of: /`([^`\n]+)`/).map { String($0.1) }
    }

    /// The lines of `console` and `sh` blocks that run `zonal`, from there to the end of the command.
    static func commands(in page: String) throws -> [String] {
        try text(of: page).matches(of: /(?s)\n```(console|sh)\n(.*?)\n```/).flatMap { block in
            let start = block.1 == "sh" ? /zonal ([^|>]*)/ : /[a-z-]*\$ zonal ([^|>]*)/
            return block.2.split(separator: "\n").compactMap { line in
                line.prefixMatch(of: start).map { String($0.1) }
            }
        }
    }
}
