/// Values written as JSON (RFC 8259).
enum JSONText {
    /// A string, quoted and escaped (§7).
    static func string(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// An object, its values already JSON.
    static func object(_ fields: [(String, String)]) -> String {
        "{" + fields.map { "\(string($0)):\($1)" }.joined(separator: ",") + "}"
    }

    /// An array on one line, its values already JSON.
    static func list(_ values: [String]) -> String { "[" + values.joined(separator: ",") + "]" }

    /// An array with a line for each value, its values already JSON.
    static func array(_ values: [String]) -> String {
        values.isEmpty ? "[]" : "[\n" + values.map { "  " + $0 }.joined(separator: ",\n") + "\n]"
    }
}
