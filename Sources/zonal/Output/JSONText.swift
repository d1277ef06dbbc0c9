import Control

/// Writes JSON values (RFC 8259); control characters that a terminal would act on are escaped.
enum JSONText {
    /// Quotes and escapes a string (§7).
    static func string(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case _ where HarmlessText.isHarmless(scalar): result.unicodeScalars.append(scalar)
            default: result += escape(scalar)
            }
        }
        return result + "\""
    }

    /// Escapes a character as UTF-16 code units.
    private static func escape(_ scalar: Unicode.Scalar) -> String {
        UTF16.encode(scalar).map { units in
            units.map { unit in
                let digits = String(unit, radix: 16)
                return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }.joined()
        } ?? ""
    }

    /// Writes an object; the values are JSON already.
    static func object(_ fields: [(String, String)]) -> String {
        "{" + fields.map { "\(string($0)):\($1)" }.joined(separator: ",") + "}"
    }

    /// Writes an array on one line; the values are JSON already.
    static func list(_ values: [String]) -> String { "[" + values.joined(separator: ",") + "]" }

    /// Writes an array with one line for each value; the values are JSON already.
    static func array(_ values: [String]) -> [String] {
        guard let last = values.last else { return ["[]"] }
        return ["["] + values.dropLast().map { "  \($0)," } + ["  \(last)", "]"]
    }
}
