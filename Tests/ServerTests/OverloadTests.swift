import Resolver
import Snapshot
import Testing

@testable import Server
import Upstream

@Suite struct `An overloaded worker` {
    private static let greedy = ClientGroup.vpc(0)
    private static let modest = ClientGroup.vpc(1)

    /// Takes a batch of 60 queries of one group, then four of another; returns how many of each are
    /// admitted.
    private static func batch(
        _ overload: inout Overload,
        listener: Int = 0,
        isFull: Bool = true,
        with other: ClientGroup = modest,
        at now: Milliseconds
    ) -> [Int] {
        overload.begin(listener: listener, isFull: isFull, now: now)
        return [(greedy, 60), (other, 4)].map { group, count in
            (0..<count).count { _ in
                overload.note(group, now: now)
                return overload.admit(group)
            }
        }
    }

    @Test func `takes a burst whole`() {
        var overload = Overload(listeners: 2)
        for now in 0..<50 as Range<Milliseconds> {
            #expect(Self.batch(&overload, at: now) == [60, 4])
        }
        #expect(Self.batch(&overload, isFull: false, at: 50) == [60, 4])
        #expect(Self.batch(&overload, at: 60) == [60, 4])
    }

    @Test
    func `passes over what one group asks too much, until it has had enough time for a second`() {
        var overload = Overload(listeners: 2)
        _ = Self.batch(&overload, at: 0)
        #expect(Self.batch(&overload, at: 49) == [60, 4])
        #expect(Self.batch(&overload, at: 50) == [4, 4])
        #expect(Self.batch(&overload, isFull: false, at: 1_049) == [4, 4])
        #expect(Self.batch(&overload, isFull: false, at: 1_050) == [60, 4])
    }

    @Test func `is one whichever of its sockets has too much`() {
        var overload = Overload(listeners: 2)
        for now in 0..<100 as Range<Milliseconds> {
            _ = Self.batch(&overload, listener: 0, at: now)
            _ = Self.batch(&overload, listener: 1, isFull: false, at: now)
        }
        #expect(Self.batch(&overload, listener: 1, isFull: false, at: 100) == [4, 4])
    }

    @Test func `passes over nothing where there is nobody to be fair to`() {
        var overload = Overload(listeners: 2)
        for now in 0..<5_000 as Range<Milliseconds> {
            #expect(Self.batch(&overload, with: Self.greedy, at: now) == [60, 4])
        }
    }
}
