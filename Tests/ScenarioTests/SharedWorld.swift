import Testing

/// Makes a world before a suite's first test and removes it after the last.
struct SharedWorld<World: Sendable>: SuiteTrait, TestScoping {
    private let current: TaskLocal<World?>
    private let make: @Sendable () throws -> World

    /// - Parameters:
    ///   - current: Where the suite's tests find the world.
    ///   - make: Makes it; what it throws fails the suite.
    init(_ current: TaskLocal<World?>, _ make: @escaping @Sendable () throws -> World) {
        self.current = current
        self.make = make
    }

    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing tests: @Sendable () async throws -> Void
    ) async throws {
        try await current.withValue(make(), operation: tests)
    }
}
