/// Parses and formats a single value.
struct ValueForm<Value>: Sendable {
    /// The expected form, with an article: `a duration such as 10s`.
    var expected: String { expectation() }
    /// True for secrets; their error messages do not contain the value.
    let isOfSecrets: Bool
    let parse: @Sendable (String) throws(ValueFault) -> Value
    /// Formats a value as text that `parse` accepts, for the documentation.
    let written: @Sendable (Value) -> String
    private let expectation: @Sendable () -> String

    init(
        _ expected: @autoclosure @escaping @Sendable () -> String,
        isOfSecrets: Bool = false,
        written: @escaping @Sendable (Value) -> String = { "\($0)" },
        _ parse: @escaping @Sendable (String) throws(ValueFault) -> Value
    ) {
        expectation = expected
        self.isOfSecrets = isOfSecrets
        self.written = written
        self.parse = parse
    }
}

/// Why a text is not a valid value.
struct ValueFault: Error {
    private let text: @Sendable () -> String

    /// What is wrong, then `; `, then what to do.
    ///
    /// Computed on demand, since most messages are never shown.
    var message: String { text() }

    init(_ message: @autoclosure @escaping @Sendable () -> String) { text = message }
}

extension ValueForm {
    /// Any text.
    static func any(_ expected: StaticString) -> ValueForm<String> where Value == String {
        ValueForm<String>("\(expected)") { (text) throws(ValueFault) in text }
    }

    /// One of the raw values of the cases.
    static func word() -> ValueForm<Value>
    where Value: RawRepresentable<String> & CaseIterable & Sendable {
        ValueForm<Value>(
            "one of " + Value.allCases.map(\.rawValue).joined(separator: ", "),
            written: \.rawValue
        ) { (text) throws(ValueFault) in
            if let value = Value(rawValue: text) { return value }
            throw ValueFault(
                "`\(text.shown)` is not a valid value; \(advice(text, Value.allCases.map(\.rawValue)))"
            )
        }
    }
}

/// Suggests the word that was meant, or lists all of them.
private func advice(_ text: String, _ words: [String]) -> String {
    Suggestion.nearest(to: text, among: words).map { "did you mean `\($0)`?" }
        ?? "write one of " + words.joined(separator: ", ")
}

extension ValueForm<Bool> {
    static let truth = ValueForm("true or false") { (text) throws(ValueFault) in
        switch text {
        case "true": return true
        case "false": return false
        default: throw ValueFault("`\(text.shown)` is neither true nor false; write one of them")
        }
    }
}

extension ValueForm<Int> {
    /// A whole number in a range.
    static func count(_ range: ClosedRange<Int>) -> ValueForm {
        ValueForm("a number from \(range.lowerBound) to \(range.upperBound)") {
            (text) throws(ValueFault) in
            guard let number = NumberText.whole(text), range.contains(number) else {
                throw ValueFault(
                    "`\(text.shown)` is out of range; write a number from \(range.lowerBound) to \(range.upperBound)"
                )
            }
            return number
        }
    }

    /// A size in octets: `64MiB`, `1GiB`, `512KiB`, or a plain number.
    static let size = ValueForm(
        "a size such as 64MiB",
        written: {
            NumberText.joined($0, [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)])
        }
    ) { (text) throws(ValueFault) in
        let units = ["": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30]
        let (number, unit) = NumberText.split(text)
        guard let number, let factor = units[unit] else {
            throw ValueFault("`\(text.shown)` is not a size; write a number and KiB, MiB or GiB")
        }
        let (octets, isTooLarge) = number.multipliedReportingOverflow(by: factor)
        guard !isTooLarge, octets <= 1 << 42 else {
            throw ValueFault("`\(text.shown)` is more than 4096GiB; write less")
        }
        return octets
    }
}

extension ValueForm<UInt32> {
    /// A duration in seconds: `10s`, `5m`, `1h`, `1d`, `1w`, or a plain number.
    static let duration = ValueForm("a duration such as 10s", written: written) {
        (text) throws(ValueFault) in
        let units = ["": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800]
        let (number, unit) = NumberText.split(text)
        guard let number, let factor = units[unit] else {
            throw ValueFault("`\(text.shown)` is not a duration; write a number and s, m, h or d")
        }
        let (seconds, isTooLarge) = number.multipliedReportingOverflow(by: factor)
        guard !isTooLarge, seconds <= Int(Int32.max) else {
            throw ValueFault("`\(text.shown)` is more than 2147483647s; write less")
        }
        return UInt32(truncatingIfNeeded: seconds)
    }

    /// A duration within bounds, which messages write as `shown`.
    static func duration(_ bounds: ClosedRange<UInt32>, _ shown: StaticString) -> ValueForm {
        ValueForm(duration.expected, written: duration.written) { (text) throws(ValueFault) in
            let seconds = try duration.parse(text)
            guard bounds.contains(seconds) else {
                throw ValueFault("`\(text.shown)` is out of range; write \(shown)")
            }
            return seconds
        }
    }

    @Sendable private static func written(_ seconds: UInt32) -> String {
        guard seconds > 0 else { return "0s" }
        return NumberText.joined(
            Int(seconds),
            [("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)]
        )
    }
}

/// Parses and formats decimal numbers without a sign.
enum NumberText {
    static func whole(_ text: some StringProtocol) -> Int? {
        guard (1...18).contains(text.utf8.count),
            text.utf8.allSatisfy({ (48...57).contains($0) })
        else { return nil }
        return Int(text)
    }

    /// Parses up to three digits, as prefix lengths have.
    static func whole(_ octets: Substring.UTF8View) -> Int? {
        guard (1...3).contains(octets.count), octets.allSatisfy({ (48...57).contains($0) }) else {
            return nil
        }
        return octets.reduce(0) { $0 * 10 + Int($1 - 48) }
    }

    /// Splits a text into the number it starts with and the rest.
    static func split(_ text: String) -> (number: Int?, unit: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        return (whole(digits), String(text.dropFirst(digits.count)))
    }

    /// Formats a number in the largest of the units that divides it; the units are in descending
    /// order.
    static func joined(_ number: Int, _ units: [(name: String, factor: Int)]) -> String {
        guard let unit = units.first(where: { number.isMultiple(of: $0.factor) }) else {
            return "\(number)"
        }
        return "\(number / unit.factor)\(unit.name)"
    }
}
