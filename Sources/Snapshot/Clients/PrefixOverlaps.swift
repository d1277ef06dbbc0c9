public import DNSWire

/// Finds owners of prefixes that share addresses with another owner's.
///
/// One pass over the prefixes in order: each is compared with one summary of those around it, and with one of those
/// inside it, so that a thousand owners of one prefix cost a thousand steps.
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
        var isV4: Bool
        var last: IPAddress
        var owner: Int
        var around: Owners
        var inside = Owners.nobody
    }

    /// The owners of which some prefix overlaps one of another owner.
    public static func owners(of places: [(prefix: IPPrefix, owner: Int)]) -> Set<Int> {
        let sorted = places.sorted {
            ($0.prefix.family, $0.prefix.first, $0.prefix.length)
                < ($1.prefix.family, $1.prefix.first, $1.prefix.length)
        }
        var found: Set<Int> = []
        var open: [Open] = []
        func close() {
            let done = open.removeLast()
            if done.around.adding(done.inside).include(somebodyBeside: done.owner) {
                found.insert(done.owner)
            }
            guard !open.isEmpty else { return }
            open[open.count - 1].inside = open[open.count - 1].inside.adding(done.inside)
                .adding(done.owner)
        }
        for place in sorted {
            let isV4 = place.prefix.isV4
            while let top = open.last, top.isV4 != isV4 || top.last < place.prefix.first { close() }
            let around = open.last.map { $0.around.adding($0.owner) } ?? .nobody
            open.append(
                Open(isV4: isV4, last: place.prefix.last, owner: place.owner, around: around)
            )
        }
        while !open.isEmpty { close() }
        return found
    }
}
