import DNSWire
import Glibc
import Server
import Snapshot
import Synchronization
import Testing

@Suite struct `The background thread` {
    /// The calling thread's nice value, which is its own on Linux.
    fileprivate static func niceValue() -> Int32 {
        getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0)
    }

    @Test func `does one thing after the other, in order`() async {
        let thread = BackgroundThread()
        let done = Mutex<[Int]>([])
        await withCheckedContinuation { continuation in
            for number in 0..<100 { thread.run { done.withLock { $0.append(number) } } }
            thread.run { continuation.resume() }
        }
        #expect(done.withLock { $0 } == Array(0..<100))
    }

    @Test func `lets those go first that answer`() async {
        let before = Self.niceValue()
        let nice = await withCheckedContinuation { continuation in
            BackgroundThread().run { continuation.resume(returning: Self.niceValue()) }
        }
        #expect(nice == max(before, 10))
        #expect(Self.niceValue() == before)
    }

    private final class Counter: Sendable {
        let count = Mutex(0)
    }

    @Test func `does what many tasks leave it`() async {
        let (thread, counter) = (BackgroundThread(), Counter())
        let nice = await withTaskGroup(of: Int32.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    await withCheckedContinuation { continuation in
                        thread.run {
                            counter.count.withLock { $0 += 1 }
                            continuation.resume(returning: Self.niceValue())
                        }
                    }
                }
            }
            return await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(nice == [max(Self.niceValue(), 10)])
        #expect(counter.count.withLock { $0 } == 50)
    }

    @Test func `frees a snapshot that is out of force`() async {
        let thread = BackgroundThread()
        func compiled() -> CompiledSnapshot {
            CompiledSnapshot(compiling: World(), seed: HashSeed(value: 1))
        }
        var inUse: CompiledSnapshot? = compiled()
        weak let old = inUse
        let holder = inUse.map { SnapshotHolder($0, background: thread) }
        holder?.replace(with: compiled())
        #expect(old != nil)
        inUse = nil
        await withCheckedContinuation { continuation in thread.run { continuation.resume() } }
        #expect(old == nil)
        #expect(holder != nil)
    }
}
