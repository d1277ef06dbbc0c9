import CSockets
import Glibc
import Logging
import Sockets
import Synchronization

/// A bounded queue of log lines, which a thread of its own writes to a descriptor.
///
/// Logging never blocks. If the descriptor's reader stalls, the queue fills up, and further lines
/// are dropped and counted. Once the thread can write again, it logs how many lines were dropped.
package final class LogQueue: Sendable {
    fileprivate struct State {
        var lines: [[UInt8]] = []
        /// Octets of `lines` and of the lines that the thread is writing.
        var octets = 0
        /// Lines dropped since the last report of dropped lines.
        var untold: UInt64 = 0
        var dropped: UInt64 = 0
        /// True while the thread exists.
        var isRunning = false
        /// True while the thread is writing.
        var isWriting = false
    }

    private let descriptor: Int32
    private let capacity: Int
    /// Escapes the characters of a line that could act on a terminal.
    private let harmless: @Sendable (String) -> String
    private let state = Mutex(State())
    /// An eventfd that is readable while there is something to write.
    private let bell: Int32
    private let threads = RunningThreads()

    /// Makes a queue of up to `capacity` octets for `descriptor`; the first line starts the thread.
    ///
    /// `harmless` is applied to every line.
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

    /// The number of lines dropped since the start.
    package var droppedCount: UInt64 { state.withLock { $0.dropped } }

    /// Appends a line, given without a line end, to the queue.
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

    /// Returns once all lines are written, or after `milliseconds`.
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
            // The thread could not be started, so the caller writes, and blocks if the reader
            // stalls.
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
            "\(count) lines of the log were dropped; the reader of the log is too slow"
        )
    }

    private func octets(of line: String) -> [UInt8] {
        Array(harmless(line).utf8) + [UInt8(ascii: "\n")]
    }

    private func writeAll(_ lines: [[UInt8]]) {
        for line in lines where !writeAll(line) { return }
    }

    /// Writes a line; returns false if the descriptor accepts no more data.
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
                // Sound: the call uses one structure, which outlives it.
                _ = unsafe poll(&waited, 1, -1)
            } else if count == 0 || errno != EINTR {
                return false
            }
        }
        return true
    }
}

extension LogQueue.State {
    /// Takes all lines; `octets` counts them until they are written.
    fileprivate mutating func take() -> [[UInt8]] {
        isWriting = !lines.isEmpty
        defer { lines = [] }
        return lines
    }
}
