/// Splits a master file into entries and tokens (RFC 1035 §5.1).
///
/// A token is a pair of offsets into the file; nothing is copied. Line and column are computed only
/// for tokens in messages. The lexer resolves parentheses, quotes and comments. It skips escapes,
/// since their meaning depends on the field.
///
/// Where the RFC is silent, this follows BIND: a quoted string ends on its line, a quote or a
/// parenthesis ends an adjacent token, and parentheses nest.
struct MasterFileLexer: ~Copyable {
    /// The maximum number of tokens in an entry: rdata cannot have more fields than octets.
    static let tokenLimit = 70_000

    let file: String
    let octets: [UInt8]
    /// The tokens of the current entry.
    private(set) var tokens: [Token] = []
    /// The line on which the current entry starts.
    private(set) var entryLine = 1
    /// True if the entry starts with a blank, so that it has the previous owner.
    private(set) var startsWithBlank = false
    /// The first syntax error of the current entry.
    private(set) var fault: EntryFault?
    /// The offset of the entry's first word that starts with `#`, which is the comment sign of
    /// other formats.
    private(set) var numberSign: Int?

    private var offset = 0
    private var line = 1
    private var entryStart = 0

    init(file: String, octets: [UInt8]) {
        self.file = file
        self.octets = octets
        offset = ByteOrderMark.length(in: octets)
    }

    /// One word or quoted string of an entry.
    struct Token {
        /// The offset of the first octet, after the opening quote if there is one.
        var start: Int
        /// The offset after the last octet, before the closing quote if there is one.
        var end: Int
        var isQuoted: Bool
        /// True if nothing separates the token from the previous one.
        var touchesPrevious: Bool

        var range: Range<Int> { start..<end }
        /// The offset for messages: that of the opening quote if there is one.
        var place: Int { isQuoted ? start - 1 : start }
    }

    /// Reads the next entry that has tokens or a syntax error; returns false at the end of the
    /// file.
    mutating func nextEntry() -> Bool {
        repeat {
            guard offset < octets.count else { return false }
            beginEntry()
            readEntry()
        } while tokens.isEmpty && fault == nil
        return true
    }

    private mutating func beginEntry() {
        tokens.removeAll(keepingCapacity: true)
        fault = nil
        numberSign = nil
        entryStart = offset
        entryLine = line
        startsWithBlank = octets[offset] == .space || octets[offset] == .tab
    }

    private mutating func readEntry() {
        var depth = 0
        var openParenthesis = offset
        var previousEnd = -1
        while offset < octets.count {
            switch octets[offset] {
            case .lineFeed:
                offset += 1
                line += 1
                if depth == 0 { return }
            case .space, .tab:
                offset += 1
            case .semicolon:
                skipComment()
            case .openParenthesis:
                if depth == 0 { openParenthesis = offset }
                depth += 1
                offset += 1
            case .closeParenthesis:
                if depth == 0 {
                    note(offset, "\")\" without a preceding \"(\"; remove it, or add \"(\"")
                } else {
                    depth -= 1
                }
                offset += 1
            case .carriageReturn:
                skipCarriageReturn()
            case .quote:
                readQuoted(after: previousEnd)
                previousEnd = offset
            default:
                readWord(after: previousEnd)
                previousEnd = offset
            }
        }
        if depth > 0 {
            note(openParenthesis, "\"(\" is never closed; write \")\" where the record ends")
        }
    }

    private mutating func skipComment() {
        while offset < octets.count, octets[offset] != .lineFeed {
            if octets[offset] == 0 { noteNull() }
            offset += 1
        }
    }

    private mutating func skipCarriageReturn() {
        offset += 1
        if offset < octets.count, octets[offset] != .lineFeed {
            note(offset - 1, "carriage return inside a line; end lines with LF or CRLF")
        }
    }

    private mutating func readQuoted(after previousEnd: Int) {
        let open = offset
        offset += 1
        while offset < octets.count, octets[offset] != .lineFeed {
            switch octets[offset] {
            case .quote:
                append(open + 1, offset, isQuoted: true, touches: open == previousEnd)
                offset += 1
                return
            case .backslash: stepOverEscape()
            case 0: noteNull()
            default: offset += 1
            }
        }
        note(
            open,
            "quoted string without a closing quote; close it on this line, or write \\\" for a quote"
        )
    }

    private mutating func readWord(after previousEnd: Int) {
        let start = offset
        if octets[start] == .numberSign, numberSign == nil { numberSign = start }
        while offset < octets.count {
            switch octets[offset] {
            case .lineFeed, .space, .tab, .semicolon, .openParenthesis, .closeParenthesis,
                .quote, .carriageReturn:
                append(start, offset, isQuoted: false, touches: start == previousEnd)
                return
            case .backslash: stepOverEscape()
            case 0: noteNull()
            default: offset += 1
            }
        }
        append(start, offset, isQuoted: false, touches: start == previousEnd)
    }

    private mutating func append(_ start: Int, _ end: Int, isQuoted: Bool, touches: Bool) {
        guard tokens.count < Self.tokenLimit else {
            note(
                start,
                "more than \(Self.tokenLimit) fields in one entry; is a parenthesis never closed?"
            )
            return
        }
        tokens.append(Token(start: start, end: end, isQuoted: isQuoted, touchesPrevious: touches))
    }

    /// Skips a backslash and the octet after it, which never ends a token.
    private mutating func stepOverEscape() {
        let next = offset + 1
        guard next < octets.count, octets[next] != .lineFeed, octets[next] != .carriageReturn else {
            note(offset, "backslash at the end of a line; write \\\\ for a backslash")
            offset = next
            return
        }
        if octets[next] == 0 { note(next, Self.nullAdvice) }
        offset = next + 1
    }

    private static let nullAdvice =
        "NUL octet: is this a text file? Write \\000 for a NUL"

    private mutating func noteNull() {
        note(offset, Self.nullAdvice)
        offset += 1
    }

    private mutating func note(_ offset: Int, _ message: String) {
        if fault == nil { fault = EntryFault(offset, message) }
    }
}

/// An error in an entry, and its offset in the file.
struct EntryFault: Error {
    var offset: Int
    var message: String

    init(_ offset: Int, _ message: String) {
        self.offset = offset
        self.message = message
    }
}

extension MasterFileLexer {
    /// The offset of the end of the current entry, for errors about missing fields.
    var endOfEntry: Int { tokens.last.map { $0.isQuoted ? $0.end + 1 : $0.end } ?? entryStart }

    /// Returns line and column of an octet of the current entry; columns count characters, not
    /// octets.
    func place(of offset: Int) -> SourcePlace {
        let offset = min(max(offset, entryStart), octets.count)
        var line = entryLine
        for index in entryStart..<offset where octets[index] == .lineFeed { line += 1 }
        let start = lineStart(of: offset)
        // UTF-8 continuation octets belong to the preceding character.
        let column = octets[start..<offset].reduce(1) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
        return SourcePlace(file: file, line: line, column: column)
    }

    private func lineStart(of offset: Int) -> Int { Self.lineStart(of: offset, in: octets) }

    private static func lineStart(of offset: Int, in octets: [UInt8]) -> Int {
        var start = offset
        while start > 0, octets[start - 1] != .lineFeed { start -= 1 }
        // Editors do not show the byte order mark.
        return start == 0 ? min(offset, ByteOrderMark.length(in: octets)) : start
    }

    /// Returns true if a token is this text, without quotes.
    func holds(_ text: [UInt8], _ token: Token) -> Bool {
        guard !token.isQuoted, token.range.count == text.count else { return false }
        for index in text.indices where octets[token.start + index] != text[index] { return false }
        return true
    }

    func excerpt(at offset: Int) -> String { Self.excerpt(of: octets, at: offset) }

    /// Returns the text of the line around `offset`, shortened and escaped.
    static func excerpt(of octets: [UInt8], at offset: Int) -> String {
        let offset = min(max(offset, 0), octets.count)
        let start = lineStart(of: offset, in: octets)
        let first = offset - start > 80 ? offset - 40 : start
        var end = offset
        while end < octets.count, octets[end] != .lineFeed, end - first < 120 { end += 1 }
        let isCut = end < octets.count && octets[end] != .lineFeed
        if !isCut, end > first, octets[end - 1] == .carriageReturn { end -= 1 }
        let text = printable(octets[first..<end])
        return (first > start ? "…" : "") + text + (isCut ? "…" : "")
    }

    /// Returns a token for a message, shortened and escaped.
    func quote(_ range: Range<Int>) -> String {
        let isLong = range.count > 60
        let shown = isLong ? range.lowerBound..<range.lowerBound + 60 : range
        return "\"" + Self.printable(octets[shown]) + (isLong ? "…" : "") + "\""
    }

    /// Returns octets as text for a message: invisible ones become `\DDD`, a tab becomes a space.
    static func printable(_ octets: ArraySlice<UInt8>) -> String {
        HarmlessText.line(String(decoding: octets, as: UTF8.self))
    }
}

/// The octets with a special meaning in a master file.
extension UInt8 {
    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D
    static let space: UInt8 = 0x20
    static let quote: UInt8 = 0x22
    static let numberSign: UInt8 = 0x23
    static let dollar: UInt8 = 0x24
    static let openParenthesis: UInt8 = 0x28
    static let closeParenthesis: UInt8 = 0x29
    static let dot: UInt8 = 0x2E
    static let semicolon: UInt8 = 0x3B
    static let at: UInt8 = 0x40
    static let backslash: UInt8 = 0x5C

    /// The value of a decimal digit; nil for any other octet.
    var digit: UInt8? { self &- 48 < 10 ? self &- 48 : nil }

    /// The value of a hexadecimal digit; nil for any other octet.
    var hexDigit: UInt8? {
        if self &- 48 < 10 { return self &- 48 }
        let lower = self | 0x20
        return lower &- 97 < 6 ? lower &- 87 : nil
    }

    var isLetter: Bool { (self | 0x20) &- 97 < 26 }
}
