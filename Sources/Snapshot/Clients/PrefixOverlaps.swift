public import DNSWire

/// Finds owners whose prefixes overlap with those of another owner.
///
/// Sorts the prefixes and visits each once. Each is compared with one summary of the enclosing
/// prefixes and one of the enclosed ones, so that a thousand owners of the same prefix take a
/// thousand steps.
public enum PrefixOverlaps {
    /// The owners of a set of prefixes.
    private enum Owners {
        case nobody
        case one(Int)
        case several

        func include(somebodyBeside owner: Int) -> Bool {
            switch self {
            case .nobody: false
            case .one(let other): other != owner
            case .several: true
            }
        }

        func adding(_ owner: Int) -> Owners {
            switch self {
            case .nobody: .one(owner)
            case .one(let other): other == owner ? self : .several
            case .several: .several
            }
        }

        func adding(_ other: Owners) -> Owners {
            switch other {
            case .nobody: self
            case .one(let owner): adding(owner)
            case .several: .several
            }
        }
    }

    /// A prefix that encloses the current position, with the owners around it and inside it.
    private struct Open {
        var owner: Int
        var around: Owners
        var inside = Owners.nobody
    }

    /// Returns the owners that have a prefix overlapping with another owner's.
    public static func owners(of places: [(prefix: IPPrefix, owner: Int)]) -> Set<Int> {
        var found: Set<Int> = []
        PrefixSweep.run(over: places, by: \.prefix) { place, outer in
            Open(
                owner: place.owner,
                around: outer.map { $0.around.adding($0.owner) } ?? .nobody
            )
        } close: { done, outer in
            if done.around.adding(done.inside).include(somebodyBeside: done.owner) {
                found.insert(done.owner)
            }
            guard let others = outer?.inside else { return }
            outer?.inside = others.adding(done.inside).adding(done.owner)
        }
        return found
    }
}
