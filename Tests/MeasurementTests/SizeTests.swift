import Foundation
import TestSupport
import Testing

/// What ten times the input costs: about ten times the CPU time and memory.
@Suite(.serialized) struct `A large world` {
    private static let configuration = """
        include: [aws/topology.yaml]
        forward: [{ zone: ".", to: [192.0.2.53] }]

        """

    /// Starts the server; what it has used once it is ready.
    private static func costOfStart(in folder: TemporaryFolder) throws -> Cost {
        try Cost(of: ZonalServer(configuration, beside: folder).process)
    }

    private static func costs(of world: ManyAccounts) throws -> [String: Cost] {
        let folder = try TemporaryFolder(["zonal.yaml": configuration])
        try world.write(to: folder)
        var costs: [String: Cost] = [:]
        costs["import"] = try Cost.of(["import", "aws", "exports", "--into", "aws"], in: folder)
        costs["import again"] = try Cost.of(
            ["import", "aws", "exports", "--into", "aws"],
            in: folder
        )
        costs["check"] = try Cost.of(["check", "--config", "zonal.yaml"], in: folder)
        costs["start"] = try costOfStart(in: folder)
        return costs
    }

    /// The least of each, which other programs disturbed least.
    private static func least(_ one: [String: Cost], _ other: [String: Cost]) -> [String: Cost] {
        one.merging(other) { one, other in
            Cost(
                processor: min(one.processor, other.processor),
                memory: min(one.memory, other.memory)
            )
        }
    }

    /// Returns true unless the cost grows with a power of 1.2 or more.
    ///
    /// Memory is measured exactly, CPU time is not: the small world fits into the processor's caches,
    /// and other programs disturb one run more than another. A run takes at least a tenth of a second,
    /// which is also the precision of the clock.
    private static func isLinear(_ large: Cost, _ small: Cost) -> Bool {
        large.processor <= 16 * max(small.processor, 0.1) && large.memory <= 11 * small.memory
    }

    @Test func `of 20,000 endpoints in 2,000 VPCs costs ten times one of 2,000`() throws {
        var (small, large): ([String: Cost], [String: Cost]) = ([:], [:])
        for _ in 0..<3 {
            small = Self.least(small, try Self.costs(of: ManyAccounts(count: 20)))
            large = Self.least(large, try Self.costs(of: ManyAccounts(count: 200)))
            if large.allSatisfy({ step, cost in small[step].map { Self.isLinear(cost, $0) } ?? false
            }) {
                break
            }
        }
        for (step, cost) in large.sorted(by: { $0.key < $1.key }) {
            let base = try #require(small[step])
            print("\(step): \(cost); a tenth of it: \(base)")
            #expect(Self.isLinear(cost, base), "\(step)")
        }
    }
}
