public import DNSWire

/// Finds owners of prefixes that share addresses with another owner's.
///
/// One sweep: each prefix is compared with one summary of those around it, and with one of those inside it, so that a
/// thousand owners of one prefix cost a thousand steps.
public enum PrefixOverlaps {
    /// Whose prefixes some set holds.
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

    /// A prefix that is open in the sweep, with the owners around it and those inside it.
    private struct Open {
        var owner: Int
        var around: Owners
        var inside = Owners.nobody
    }

    /// The owners of which some prefix overlaps one of another owner.
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
