/// Owners that end in an AZ name that the zone's owner does not have; collected until the end of
/// the file.
///
/// In a zone with other zonal labels, an unknown AZ name at the end of a first label is an error.
/// In other zones it is only a warning, since a host can have such a name by chance:
/// `bastion-eu-west-1b`. The same holds for labels after the first.
struct UnknownAZNames {
    /// True if some label ends in a known AZ.
    var hasZonalLabels = false
    private var firstLabels = Found()
    private var otherLabels = Found()

    /// Names of one kind: as many as can be shown, and the number of all.
    private struct Found {
        var names: [(name: OwnerAZNames.Unknown, place: SourcePlace, excerpt: String)] = []
        var count = 0
    }

    /// Counts a name; returns true if it should be added with `add`.
    mutating func takes(_ name: OwnerAZNames.Unknown) -> Bool {
        let kind = name.isFirstLabel ? \Self.firstLabels : \Self.otherLabels
        self[keyPath: kind].count += 1
        return self[keyPath: kind].count <= ZoneFileReader.errorLimit
    }

    mutating func add(_ name: OwnerAZNames.Unknown, at place: SourcePlace, excerpt: String) {
        let kind = name.isFirstLabel ? \Self.firstLabels : \Self.otherLabels
        self[keyPath: kind].names.append((name, place, excerpt))
    }

    /// Reports the names: first labels are errors in a zone with zonal labels, all others are
    /// warnings.
    func report(to journal: inout ZoneFileJournal) {
        report(firstLabels, areErrors: hasZonalLabels, &journal)
        report(otherLabels, areErrors: false, &journal)
    }

    private func report(_ found: Found, areErrors: Bool, _ journal: inout ZoneFileJournal) {
        for index in 0..<found.count {
            let isShown = areErrors ? journal.takesError() : journal.takesWarning()
            guard isShown, index < found.names.count else { continue }
            let (name, place, excerpt) = found.names[index]
            journal.add(
                Diagnostic(
                    areErrors ? .error : .warning,
                    at: place,
                    areErrors ? name.error : name.warning,
                    excerpt: excerpt
                )
            )
        }
    }
}
