/// Collects the diagnostics of one zone file, up to a limit.
///
/// Further ones are only counted: finding the lines of a million warnings would take most of the
/// reading time.
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

    /// Counts a warning; returns true if it should be made and added.
    mutating func takesWarning() -> Bool {
        warningCount += 1
        return warningCount <= ZoneFileReader.errorLimit
    }

    /// Counts an error; returns true if it should be made and added.
    mutating func takesError() -> Bool {
        errorCount += 1
        return errorCount <= ZoneFileReader.errorLimit
    }

    /// Adds a diagnostic that was counted before.
    mutating func add(_ diagnostic: Diagnostic) { all.append(diagnostic) }

    /// Sorts the diagnostics added since the first `count` by line.
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
                "stopped after \(ZoneFileReader.errorLimit) errors; correct these and check again"
            )
        )
    }

    /// Adds the number of diagnostics that are not shown for the file at `path`.
    mutating func addOmittedCounts(of path: String) {
        let errors = saysThatItStopped ? 0 : max(errorCount - ZoneFileReader.errorLimit, 0)
        let warnings = max(warningCount - ZoneFileReader.errorLimit, 0)
        for (count, severity) in [(errors, Diagnostic.Severity.error), (warnings, .warning)]
        where count > 0 {
            let message =
                "\(count) more \(severity.rawValue)s are not shown; correct the shown ones and check again"
            all.append(Diagnostic(severity, at: SourcePlace(file: path), message))
        }
    }
}
