/// A table of text.
struct TextTable {
    var headings: [String]
    var rows: [[String]]

    /// For a terminal: columns as wide as their widest cell, two blanks between them.
    var lines: [String] {
        let all = [headings] + rows
        let widths = headings.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            let cells = zip(row, widths).map { cell, width in
                cell + String(repeating: " ", count: width - cell.count)
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
        "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
    }
}
