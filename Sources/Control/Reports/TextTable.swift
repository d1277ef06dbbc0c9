/// A table of text, each cell on one line and without what a reader cannot see.
struct TextTable {
    private let headings: [String]
    private let rows: [[String]]

    init(headings: [String], rows: [[String]]) {
        self.headings = headings.map { HarmlessText.line($0) }
        self.rows = rows.map { row in row.map { HarmlessText.line($0) } }
    }

    /// For a terminal: columns as wide as their widest cell, two blanks between them.
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

    /// As Markdown has tables.
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
