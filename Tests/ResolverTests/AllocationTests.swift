import CAllocationCounter
import DNSWire
import Resolver
import Snapshot
import Testing

@Suite struct `The hot path` {
    /// Runs `count` answers and returns how often the thread asked for memory meanwhile.
    private static func allocations(
        of count: Int,
        answering message: [UInt8],
        from source: String,
        in sample: SampleWorld
    ) -> (allocations: UInt64, replies: Int) {
        let snapshot = CompiledSnapshot(compiling: sample.world, seed: sample.seed)
        var pipeline = Pipeline(cache: ResponseCache(byteCount: 1 << 20), seed: sample.seed)
        let client = Client(
            address: IPAddress(source) ?? IPAddress(bits: 0),
            listener: 0,
            transport: .datagram
        )
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 8)
        defer { unsafe buffer.deallocate() }
        // Sound: the buffer outlives the writer, which alone uses it.
        var reply = unsafe ReplyWriter(buffer, limit: 4096)
        let resolution = Resolution.start
        var replies = 0
        var before: UInt64 = 0
        // The first answers make the run time instantiate generic types, once a process.
        let warmUp = 10
        for round in 0..<count + warmUp {
            if round == warmUp { before = allocation_count_of_this_thread() }
            reply.reset(limit: 4096)
            let verdict = pipeline.answer(
                message.span,
                from: client,
                in: snapshot,
                knowing: resolution,
                now: 1,
                into: &reply
            )
            if verdict == .reply, round >= warmUp { replies += 1 }
        }
        return (allocation_count_of_this_thread() - before, replies)
    }

    @Test(arguments: [
        "db.internal.example", "db-us-east-1a.internal.example", "www.internal.example",
        "any.apps.internal.example", "nothing.internal.example", "x.old.internal.example",
    ])
    func `allocates nothing over 10,000 private answers`(name: String) {
        let result = Self.allocations(
            of: 10_000,
            answering: SampleWorld.query(name, .a),
            from: "10.20.1.7",
            in: `A private answer`.world()
        )
        #expect(result.replies == 10_000)
        #expect(result.allocations == 0)
    }

    @Test func `is measured by a counter that counts`() {
        let before = allocation_count_of_this_thread()
        let array = [UInt8](repeating: 1, count: Int.random(in: 1000...2000))
        #expect(array.count > 0)
        #expect(allocation_count_of_this_thread() > before)
    }
}
