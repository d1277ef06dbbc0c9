import TestSupport
import Testing

@testable import Control

@Suite struct `Text for a terminal` {
    /// Control characters, bidirectional controls, line separators, zero-width characters,
    /// unassigned code points.
    static let hidden: [Unicode.Scalar] = [
        "\u{0}", "\u{7}", "\u{1B}", "\n", "\r", "\u{7F}", "\u{85}", "\u{9B}", "\u{AD}", "\u{61C}",
        "\u{180E}", "\u{200B}", "\u{200F}", "\u{2028}", "\u{2029}", "\u{202E}", "\u{2060}",
        "\u{2066}", "\u{2069}", "\u{3164}", "\u{E000}", "\u{FE0F}", "\u{FEFF}", "\u{E0041}",
        "\u{10FFFF}",
    ]

    @Test(arguments: hidden)
    func `what cannot be seen stands as its octets`(scalar: Unicode.Scalar) {
        let octets = scalar.utf8.map { octet in
            let digits = String(octet)
            return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
        }
        #expect(HarmlessText.line("a\(scalar)b") == "a" + octets.joined() + "b")
    }

    @Test(arguments: ["payments", "Zahlung für Köln", "支払い", "e\u{301}", "🚀", "a\\b \"c\""])
    func `visible characters stay`(text: String) { #expect(HarmlessText.line(text) == text) }

    @Test func `a tab becomes a space, except in lines with tab-separated fields`() {
        #expect(HarmlessText.line("a\tb") == "a b")
        #expect(HarmlessText.line("a\tb\u{1B}", keepingTabs: true) == "a\tb\\027")
    }

    @Test func `columns of a table are aligned, whatever the cells contain`() {
        let table = TextTable(
            headings: ["NAME", "X"],
            rows: [["支払い", "1"], ["e\u{301}te", "2"], ["a\u{1B}[2J", "3"], ["\u{202E}b", "4"]]
        )
        let lines = table.lines
        #expect(lines[2] == "e\u{301}te            2")
        #expect(lines[3] == "a\\027[2J       3")
        #expect(lines[4] == "\\226\\128\\174b  4")
        let columns = lines.map { HarmlessText.width(of: String($0.dropLast())) }
        #expect(Set(columns) == [15])
    }
}
