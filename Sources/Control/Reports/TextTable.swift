/// A text table; each cell is one line of `HarmlessText`.
struct TextTable {
    private let headings: [String]
    private let rows: [[String]]

    init(headings: [String], rows: [[String]]) {
        self.headings = headings.map { HarmlessText.line($0) }
        self.rows = rows.map { row in row.map { HarmlessText.line($0) } }
    }

    /// The table for a terminal: columns as wide as their widest cell, separated by two spaces.
    var lines: [String] {
        let all = [headings] + rows
        let widths = headings.indices.map { column in
            all.map { HarmlessText.width(of: $0[column]) }.max() ?? 0
        }
        return all.map { row in
            let cells = zip(row, widths).map { cell, width in
                cell + String(repeating: " ", count: width - HarmlessText.width(of: cell))
            }
            let line = cells.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }

    /// The table in Markdown.
    var markdown: [String] {
        [headings, headings.map { _ in "---" }].map(Self.line) + rows.map(Self.line)
    }

    private static func line(_ cells: [String]) -> String {
        "| "
            + cells.map { $0.replacing("\\", with: "\\\\").replacing("|", with: "\\|") }.joined(
                separator: " | "
            ) + " |"
    }
}
