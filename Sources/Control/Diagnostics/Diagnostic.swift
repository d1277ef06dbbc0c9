/// An error or a warning about the operator's input, with its place.
///
/// Prints as `FILE:LINE:COLUMN: error: what is wrong; what to do`, followed by the text of the
/// line, if any.
package struct Diagnostic: Error, Hashable, Sendable {
    package var severity: Severity
    package var place: SourcePlace
    /// What is wrong, then `; `, then what to do.
    package var message: String
    /// The text of the line, without its line end.
    package var excerpt: String?

    package init(
        _ severity: Severity,
        at place: SourcePlace,
        _ message: String,
        excerpt: String? = nil
    ) {
        self.severity = severity
        self.place = place
        self.message = message
        self.excerpt = excerpt
    }

    package enum Severity: String, Sendable {
        case error, warning
    }
}

/// A place in a file.
///
/// Line and column count from 1; 0 means unknown.
package struct SourcePlace: Hashable, Sendable {
    /// The path as the operator wrote it, relative to the same folder.
    package var file: String
    // 32 bits each, since every value of a configuration stores a place.
    private var lineNumber: UInt32
    private var columnNumber: UInt32

    package var line: Int { Int(lineNumber) }
    package var column: Int { Int(columnNumber) }

    package init(file: String, line: Int = 0, column: Int = 0) {
        self.file = file
        lineNumber = UInt32(clamping: line)
        columnNumber = UInt32(clamping: column)
    }
}

extension Diagnostic: CustomStringConvertible {
    package var description: String {
        let head = "\(place): \(severity.rawValue): \(message)"
        guard let excerpt else { return head }
        return head + "\n    " + excerpt
    }
}

extension SourcePlace: CustomStringConvertible {
    package var description: String {
        if line == 0 { return file }
        return column == 0 ? "\(file):\(line)" : "\(file):\(line):\(column)"
    }
}

/// Collects diagnostics, so that one run reports all of them.
package struct Diagnostics: Sendable {
    package private(set) var all: [Diagnostic] = []

    package init() {}

    package var hasErrors: Bool { all.contains { $0.severity == .error } }

    package mutating func add(_ diagnostic: Diagnostic) { all.append(diagnostic) }

    package mutating func error(at place: SourcePlace, _ message: String, excerpt: String? = nil) {
        add(Diagnostic(.error, at: place, message, excerpt: excerpt))
    }

    package mutating func warning(at place: SourcePlace, _ message: String, excerpt: String? = nil)
    {
        add(Diagnostic(.warning, at: place, message, excerpt: excerpt))
    }

    package mutating func merge(_ other: Diagnostics) { all += other.all }
}
