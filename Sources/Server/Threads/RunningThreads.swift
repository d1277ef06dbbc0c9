import CSockets
import Sockets
import Synchronization

/// Starts threads, and waits for their end.
final class RunningThreads: Sendable {
    private struct State {
        var running = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// Runs `body` on a new thread.
    func start(name: String, _ body: @escaping @Sendable () -> Void) throws(SocketError) {
        state.withLock { $0.running += 1 }
        let start = ThreadBody { [self] in
            body()
            ended()
        }
        // Sound: the thread releases the object that is retained here, once.
        let context = unsafe Unmanaged.passRetained(start)
        let code = unsafe csockets_start_thread(
            name,
            { context in
                guard let context = unsafe context else { return }
                unsafe Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().run()
            },
            context.toOpaque()
        )
        guard code != 0 else { return }
        unsafe context.release()
        ended()
        throw SocketError(call: "pthread_create", code: code)
    }

    private func ended() {
        let waiting = state.withLock { state in
            state.running -= 1
            guard state.running == 0 else { return [CheckedContinuation<Void, Never>]() }
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Returns once no thread is running.
    func allEnded() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if state.running > 0 { state.waiting.append(continuation) }
                return state.running == 0
            }
            if isOver { continuation.resume() }
        }
    }
}

/// The function that a thread runs.
private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}
