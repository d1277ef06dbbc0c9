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

    /// An actor as the reload is one.
    private actor Counter {
        let thread: BackgroundThread
        var count = 0

        // Sound: this actor holds the thread.
        nonisolated var unownedExecutor: UnownedSerialExecutor {
            unsafe thread.asUnownedSerialExecutor()
        }

        init(on thread: BackgroundThread) { self.thread = thread }

        func add() -> Int32 {
            count += 1
            return `The background thread`.niceValue()
        }
    }

    @Test func `is where an actor of its own runs`() async {
        let counter = Counter(on: BackgroundThread())
        let nice = await withTaskGroup(of: Int32.self) { group in
            for _ in 0..<50 { group.addTask { await counter.add() } }
            return await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(nice == [max(Self.niceValue(), 10)])
        #expect(await counter.count == 50)
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
