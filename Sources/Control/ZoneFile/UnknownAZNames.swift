/// Owners of a zone that end in an AZ name which its owner does not have, until the whole file is read.
///
/// A zone with zonal labels has them for a reason, so that one more with an unknown AZ is a mistake. In any other
/// zone a name may end so by chance: `bastion-eu-west-1b` is that of a host.
struct UnknownAZNames {
    /// Some label ends in an AZ.
    var hasZonalLabels = false
    private var found: [(name: OwnerAZNames.Unknown, place: SourcePlace, excerpt: String)] = []
    private var count = 0

    /// Counts one in; true if it is to be added.
    mutating func takes() -> Bool {
        count += 1
        return count <= ZoneFileReader.errorLimit
    }

    mutating func add(_ name: OwnerAZNames.Unknown, at place: SourcePlace, excerpt: String) {
        found.append((name, place, excerpt))
    }

    /// Tells of all of them: errors beside zonal labels, doubts without.
    func tell(_ journal: inout ZoneFileJournal) {
        for index in 0..<count {
            let isTold = hasZonalLabels ? journal.takesError() : journal.takesWarning()
            guard isTold, index < found.count else { continue }
            let (name, place, excerpt) = found[index]
            journal.add(
                Diagnostic(
                    hasZonalLabels ? .error : .warning,
                    at: place,
                    hasZonalLabels ? name.error : name.doubt,
                    excerpt: excerpt
                )
            )
        }
    }
}
