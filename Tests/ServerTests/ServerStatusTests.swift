import Server
import Testing

@Suite struct `The status of a server` {
    @Test func `has a name for everything that workers count`() {
        let fields = Mirror(reflecting: WorkerCounts()).children
        #expect(WorkerCounts.names.count == fields.count)
        #expect(Set(WorkerCounts.names.map(\.name)).count == fields.count)
        var counts = WorkerCounts()
        for (_, count) in WorkerCounts.names { counts[keyPath: count] = 1 }
        #expect(Mirror(reflecting: counts).children.allSatisfy { $0.value as? UInt64 == 1 })
    }
}
