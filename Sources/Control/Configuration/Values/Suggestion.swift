/// Finds the word that a misspelt word was meant to be.
enum Suggestion {
    /// The maximum length of a word that is compared.
    static let longest = 64

    /// Returns the word most similar to `text`, if it is similar enough.
    static func nearest(to text: String, among words: [String]) -> String? {
        guard text.utf8.count <= longest else { return nil }
        let text = Array(text.lowercased().utf8)
        var best: (word: String, distance: Int)?
        for word in words {
            let length = word.utf8.count
            // The distance is at least the difference of the lengths.
            guard length <= longest, abs(length - text.count) <= allowance(length) else { continue }
            let distance = distance(text, Array(word.utf8))
            guard distance <= allowance(length), distance < best?.distance ?? .max else { continue }
            best = (word, distance)
        }
        return best?.word
    }

    /// Returns the maximum distance for a word of this length.
    private static func allowance(_ length: Int) -> Int { max(1, length / 3) }

    /// Returns the edit distance: letters added, removed, replaced, or swapped with their
    /// neighbour.
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforeLast = [Int](repeating: 0, count: right.count + 1)
        var last = Array(0...right.count)
        var current = beforeLast
        for row in left.indices {
            current[0] = row + 1
            for column in right.indices {
                let isSame = left[row] == right[column]
                var cost = min(
                    last[column] + (isSame ? 0 : 1),
                    last[column + 1] + 1,
                    current[column] + 1
                )
                if row > 0, column > 0, left[row] == right[column - 1],
                    left[row - 1] == right[column]
                {
                    cost = min(cost, beforeLast[column - 1] + 1)
                }
                current[column + 1] = cost
            }
            (beforeLast, last, current) = (last, current, beforeLast)
        }
        return last[right.count]
    }
}

/// The number of comparisons left for suggestions.
///
/// Only the first twenty unknown names get a suggestion. A thousand unknown names among a thousand
/// known ones would otherwise take a million comparisons.
struct SuggestionBudget {
    private var words = 20_000

    mutating func nearest(to text: String, among candidates: [String]) -> String? {
        guard candidates.count <= words else { return nil }
        words -= candidates.count
        return Suggestion.nearest(to: text, among: candidates)
    }
}
