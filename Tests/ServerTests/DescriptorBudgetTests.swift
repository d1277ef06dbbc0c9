import Server
import Testing

@Suite struct `The budget of descriptors` {
    private static func budget(_ limit: Int) throws -> DescriptorBudget {
        try DescriptorBudget(limit: limit, listeners: 2, workers: 2, connections: 1024)
    }

    @Test(arguments: [140, 256, 1024, 4096, 65_536, 1 << 20])
    func `shares out no more than the process may open, and something to each`(limit: Int) throws {
        let budget = try Self.budget(limit)
        let shares = [
            budget.connections, budget.upstreamSockets, budget.upstreamConnections,
            budget.healthChecks,
        ]
        #expect(budget.fixed + shares.reduce(0, +) <= limit)
        #expect(shares.allSatisfy { $0 >= 4 })
        #expect(budget.upstreamSockets >= 16)
    }

    @Test func `gives each as much as it can use where there is plenty`() throws {
        let budget = try Self.budget(1 << 20)
        #expect(budget.connections == 1024)
        #expect(budget.upstreamSockets == 16_384)
        #expect(budget.healthChecks == 256)
    }

    @Test func `is an error, which says how many it takes, where they are too few`() throws {
        let error = try #require(throws: DescriptorShortage.self) { try Self.budget(100) }
        #expect("\(error)".hasPrefix("2 listeners and 2 workers need 128 open files"))
        #expect("\(error)".contains("this process may have 100"))
        let two = try DescriptorBudget(limit: 128, listeners: 2, workers: 2, connections: 1024)
        #expect(two.limit == 128)
    }
}
