import Control

/// Values written as JSON (RFC 8259), without what a terminal would act on.
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
            case _ where HarmlessText.isHarmless(scalar): result.unicodeScalars.append(scalar)
            default: result += escape(scalar)
            }
        }
        return result + "\""
    }

    /// What no reader sees, as UTF-16 has it.
    private static func escape(_ scalar: Unicode.Scalar) -> String {
        UTF16.encode(scalar).map { units in
            units.map { unit in
                let digits = String(unit, radix: 16)
                return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }.joined()
        } ?? ""
    }

    /// An object, its values already JSON.
    static func object(_ fields: [(String, String)]) -> String {
        "{" + fields.map { "\(string($0)):\($1)" }.joined(separator: ",") + "}"
    }

    /// An array on one line, its values already JSON.
    static func list(_ values: [String]) -> String { "[" + values.joined(separator: ",") + "]" }

    /// The lines of an array that has one for each value, its values already JSON.
    static func array(_ values: [String]) -> [String] {
        guard let last = values.last else { return ["[]"] }
        return ["["] + values.dropLast().map { "  \($0)," } + ["  \(last)", "]"]
    }
}
