/// Owners of a zone that end in an AZ name which its owner does not have, until the whole file is read.
///
/// A zone with zonal labels has them for a reason, so that one more first label with an unknown AZ is a mistake. In any
/// other zone a name may end so by chance: `bastion-eu-west-1b` is that of a host. So may a label that is not the first.
struct UnknownAZNames {
    /// Some label ends in an AZ.
    var hasZonalLabels = false
    private var firstLabels = Found()
    private var otherLabels = Found()

    /// Those of one kind: as many as may be shown, and how many there are.
    private struct Found {
        var names: [(name: OwnerAZNames.Unknown, place: SourcePlace, excerpt: String)] = []
        var count = 0
    }

    /// Counts one in; true if it is to be added.
    mutating func takes(_ name: OwnerAZNames.Unknown) -> Bool {
        let kind = name.isFirstLabel ? \Self.firstLabels : \Self.otherLabels
        self[keyPath: kind].count += 1
        return self[keyPath: kind].count <= ZoneFileReader.errorLimit
    }

    mutating func add(_ name: OwnerAZNames.Unknown, at place: SourcePlace, excerpt: String) {
        let kind = name.isFirstLabel ? \Self.firstLabels : \Self.otherLabels
        self[keyPath: kind].names.append((name, place, excerpt))
    }

    /// Tells of all of them: of first labels errors beside zonal labels, of all others doubts.
    func tell(_ journal: inout ZoneFileJournal) {
        tell(firstLabels, areErrors: hasZonalLabels, &journal)
        tell(otherLabels, areErrors: false, &journal)
    }

    private func tell(_ found: Found, areErrors: Bool, _ journal: inout ZoneFileJournal) {
        for index in 0..<found.count {
            let isTold = areErrors ? journal.takesError() : journal.takesWarning()
            guard isTold, index < found.names.count else { continue }
            let (name, place, excerpt) = found.names[index]
            journal.add(
                Diagnostic(
                    areErrors ? .error : .warning,
                    at: place,
                    areErrors ? name.error : name.doubt,
                    excerpt: excerpt
                )
            )
        }
    }
}
