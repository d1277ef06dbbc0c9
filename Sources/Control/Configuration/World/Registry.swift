/// Numbers entries by their IDs, and reports IDs that are defined twice or not at all.
struct Registry {
    private let noun: String
    private let journal: ConfigurationJournal
    private var numbers: [String: Int] = [:]
    /// The IDs by their numbers.
    private var identifiers: [String] = []
    private(set) var places: [SourcePlace] = []

    /// Makes an empty registry; messages name its entries `noun`, as in `account`.
    init(_ noun: String, _ journal: ConfigurationJournal) {
        self.noun = noun
        self.journal = journal
    }

    /// Adds an ID; returns false and reports an error if it is defined already.
    mutating func define(_ id: String, at place: SourcePlace) -> Bool {
        if let first = numbers[id] {
            journal.error(
                at: place,
                "\(noun) \(id) is defined already, at \(places[first]); remove one of them"
            )
            return false
        }
        numbers[id] = places.count
        identifiers.append(id)
        places.append(place)
        return true
    }

    /// Returns the number of the referenced ID; returns nil and reports an error if it is not
    /// defined.
    func resolve(_ reference: Placed<String>) -> Int? {
        if let number = numbers[reference.value] { return number }
        journal.error(
            at: reference.place,
            "unknown \(noun) \(reference.value.shown); \(advice(reference.value))"
        )
        return nil
    }

    private func advice(_ id: String) -> String {
        journal.suggestion(for: id, among: identifiers).map { "did you mean \($0)?" }
            ?? "define it under \(noun.lowercased())s:"
    }

    func resolve(_ references: [Placed<String>]) -> [Int] {
        var seen: Set<Int> = []
        return references.compactMap(resolve).filter { seen.insert($0).inserted }
    }
}
