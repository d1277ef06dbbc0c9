import CSockets
import Glibc
import Logging
import Sockets
import Synchronization

/// Lines on their way to a descriptor, written by a thread of their own.
///
/// Whoever logs leaves a line and goes on, whatever becomes of it: where nobody reads the descriptor, the queue fills, and
/// further lines are dropped and counted. The thread says how many they were once it can write again.
package final class LogQueue: Sendable {
    fileprivate struct State {
        var lines: [[UInt8]] = []
        /// Octets of `lines`, and of what is being written.
        var octets = 0
        /// Dropped, and not told of yet.
        var untold: UInt64 = 0
        var dropped: UInt64 = 0
        /// There is a thread.
        var isRunning = false
        /// Something is being written.
        var isWriting = false
    }

    private let descriptor: Int32
    private let capacity: Int
    /// Makes a line of text that does nothing to whoever reads it.
    private let harmless: @Sendable (String) -> String
    private let state = Mutex(State())
    /// Readable while there is something to write.
    private let bell: Int32
    private let threads = RunningThreads()

    /// Makes a queue of up to `capacity` octets for `descriptor`; the thread starts with the first line.
    ///
    /// Every line is written as `harmless` makes it.
    package init(
        to descriptor: Int32 = STDERR_FILENO,
        capacity: Int = 1 << 20,
        harmless: @escaping @Sendable (String) -> String
    ) {
        self.descriptor = descriptor
        self.capacity = capacity
        self.harmless = harmless
        bell = eventfd(0, Int32(EFD_CLOEXEC))
    }

    /// Lines that were dropped so far.
    package var droppedCount: UInt64 { state.withLock { $0.dropped } }

    /// Leaves a line, without its end, to be written behind all others.
    package func write(_ line: String) {
        let octets = octets(of: line)
        let (isFirst, mustStart) = state.withLock { state in
            guard state.octets + octets.count <= capacity else {
                state.dropped += 1
                state.untold += 1
                defer { state.isRunning = true }
                return (state.lines.isEmpty && !state.isWriting, !state.isRunning)
            }
            state.lines.append(octets)
            state.octets += octets.count
            defer { state.isRunning = true }
            return (state.lines.count == 1, !state.isRunning)
        }
        if mustStart { start() }
        if isFirst { _ = csockets_eventfd_signal(bell) }
    }

    /// Returns once everything is written, or `milliseconds` have passed.
    package func flush(within milliseconds: Int) {
        let deadline = SteadyClock.milliseconds() + UInt64(milliseconds)
        while !isIdle, SteadyClock.milliseconds() < deadline { usleep(2_000) }
    }

    private var isIdle: Bool {
        state.withLock { $0.lines.isEmpty && !$0.isWriting && $0.untold == 0 || !$0.isRunning }
    }

    private func start() {
        do throws(SocketError) {
            try threads.start(name: "zonal-log") { [self] in
                while true { writeBatch() }
            }
        } catch {
            // Without a thread a line may have to wait for its reader.
            writeAll(state.withLock { $0.take() })
            state.withLock { $0.isRunning = false }
        }
    }

    private func writeBatch() {
        if bell < 0 { usleep(10_000) } else { _ = csockets_eventfd_clear(bell) }
        let lines = state.withLock { $0.take() }
        writeAll(lines)
        let untold = state.withLock { state in
            state.octets -= lines.reduce(0) { $0 + $1.count }
            defer { state.untold = 0 }
            state.isWriting = state.untold > 0
            return state.untold
        }
        if untold > 0 { writeAll([octets(of: Self.told(untold))]) }
        state.withLock { $0.isWriting = false }
    }

    private static func told(_ count: UInt64) -> String {
        QueuedLogHandler.line(
            .warning,
            "\(count) lines of the log were dropped: nobody read them in time"
        )
    }

    private func octets(of line: String) -> [UInt8] {
        Array(harmless(line).utf8) + [UInt8(ascii: "\n")]
    }

    private func writeAll(_ lines: [[UInt8]]) {
        for line in lines where !writeAll(line) { return }
    }

    /// False where the descriptor takes nothing any more.
    private func writeAll(_ line: [UInt8]) -> Bool {
        var rest = line[...]
        while !rest.isEmpty {
            // Sound: the pointer covers `rest`, which does not change during the call.
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if count < 0, errno == EAGAIN {
                var waited = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                // Sound: one structure, which outlives the call.
                _ = unsafe poll(&waited, 1, -1)
            } else if count == 0 || errno != EINTR {
                return false
            }
        }
        return true
    }
}

extension LogQueue.State {
    /// Takes all lines, which still count until they are written.
    fileprivate mutating func take() -> [[UInt8]] {
        isWriting = !lines.isEmpty
        defer { lines = [] }
        return lines
    }
}
