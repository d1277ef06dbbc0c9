/// The diagnostics of one reading of a zone, in a bounded number.
///
/// Further ones are counted and not made: finding the line of each of a million warnings would be the most that a
/// reading does.
struct ZoneFileJournal {
    private(set) var all: [Diagnostic] = []
    private(set) var errorCount = 0
    private(set) var saysThatItStopped = false
    private var warningCount = 0

    mutating func error(at place: SourcePlace, _ message: String) {
        guard takesError() else { return }
        all.append(Diagnostic(.error, at: place, message))
    }

    mutating func error(_ fault: EntryFault, in lexer: borrowing MasterFileLexer) {
        guard takesError() else { return }
        all.append(
            Diagnostic(
                .error,
                at: lexer.place(of: fault.offset),
                fault.message,
                excerpt: lexer.excerpt(at: fault.offset)
            )
        )
    }

    /// Counts a warning in; true if it is to be made.
    mutating func takesWarning() -> Bool {
        warningCount += 1
        return warningCount <= ZoneFileReader.errorLimit
    }

    /// Counts an error in; true if it is to be made.
    mutating func takesError() -> Bool {
        errorCount += 1
        return errorCount <= ZoneFileReader.errorLimit
    }

    /// Adds what has been counted in.
    mutating func add(_ diagnostic: Diagnostic) { all.append(diagnostic) }

    /// Puts what was added since the first `count` diagnostics in the order of the lines.
    mutating func sort(from count: Int) {
        let sorted = all[count...].enumerated().sorted { one, two in
            (one.element.place.file, one.element.place.line, one.offset)
                < (two.element.place.file, two.element.place.line, two.offset)
        }
        all.replaceSubrange(count..., with: sorted.map(\.element))
    }

    mutating func sayThatItStopped(at place: SourcePlace) {
        saysThatItStopped = true
        all.append(
            Diagnostic(
                .error,
                at: place,
                "stopped after \(ZoneFileReader.errorLimit) errors; fix these and check again"
            )
        )
    }

    /// Says how many were left out in the file at `path`.
    mutating func sayHowManyMore(of path: String) {
        let errors = saysThatItStopped ? 0 : max(errorCount - ZoneFileReader.errorLimit, 0)
        let warnings = max(warningCount - ZoneFileReader.errorLimit, 0)
        for (count, severity) in [(errors, Diagnostic.Severity.error), (warnings, .warning)]
        where count > 0 {
            let message =
                "\(count) more \(severity.rawValue)s are not shown; fix the first ones and check again"
            all.append(Diagnostic(severity, at: SourcePlace(file: path), message))
        }
    }
}
