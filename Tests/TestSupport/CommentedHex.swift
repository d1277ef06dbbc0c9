/// Octets as hexadecimal digits with comments.
///
/// `#` begins a comment. `"text"` stands for its octets. `x30` after either repeats it thirty
/// times.
package enum CommentedHex {
    package struct Fault: Error {
        package var description: String
    }

    package static func octets(of text: String) throws -> [UInt8] {
        try text.split(separator: "\n").flatMap { line in
            try line.prefix { $0 != "#" }.split(separator: " ").flatMap(octets(ofWord:))
        }
    }

    private static func octets(ofWord word: Substring) throws -> [UInt8] {
        if let times = word.wholeMatch(of: /(.+)x([0-9]+)/) {
            let once = try octets(ofWord: times.1)
            return (0..<(Int(times.2) ?? 0)).flatMap { _ in once }
        }
        if word.first == "\"" { return Array(word.dropFirst().dropLast().utf8) }
        let digits = word.compactMap(\.hexDigitValue)
        guard digits.count == word.count, digits.count % 2 == 0 else {
            throw Fault(description: "\(word) is no octets")
        }
        return stride(from: 0, to: digits.count, by: 2).map {
            UInt8(digits[$0] << 4 | digits[$0 + 1])
        }
    }
}
