package import Foundation

/// A program that runs beside the test; it is killed when it is no longer referenced.
package final class RunningProcess: @unchecked Sendable {
    // Unchecked is sound: `output`, `hasEnded` and `status` are touched under `condition` alone.
    private let process = Process()
    private let condition = NSCondition()
    /// Signalled once the program has ended.
    private let end = DispatchSemaphore(value: 0)
    private var output = ""
    private var hasEnded = false
    private var status: Int32?

    /// The timeout of every wait.
    package static let patience: TimeInterval = 60

    package struct Impatience: Error, CustomStringConvertible {
        package var description: String
    }

    /// Starts `command`, found by PATH; standard output and error are captured together.
    package init(_ command: [String], in folder: String? = nil) throws {
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        if let folder { process.currentDirectoryURL = URL(filePath: folder) }
        let pipe = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipe
        process.standardError = pipe
        process.terminationHandler = { [weak self, end] process in
            end.signal()
            self?.change { $0.status = process.terminationStatus }
        }
        try Self.withoutBlockedSignals { try process.run() }
        let reader = pipe.fileHandleForReading
        Thread.detachNewThread { [weak self] in
            while case let data = reader.availableData, !data.isEmpty {
                self?.change { $0.output += String(decoding: data, as: UTF8.self) }
            }
            self?.change { $0.hasEnded = true }
        }
    }

    /// Threads of the test runner block signals, and child processes inherit that.
    ///
    /// A server would then get no SIGCHLD for its own children.
    private static func withoutBlockedSignals(_ body: () throws -> Void) throws {
        var none = sigset_t()
        var before = sigset_t()
        // Sound: the sets are locals that outlive the calls.
        _ = unsafe sigemptyset(&none)
        _ = unsafe pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { _ = unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
        try body()
    }

    deinit {
        guard process.isRunning else { return }
        // The whole process group, because a server may have children.
        kill(-process.processIdentifier, SIGKILL)
        _ = end.wait(timeout: .now() + 5)
    }

    private func change(_ body: (RunningProcess) -> Void) {
        condition.lock()
        body(self)
        condition.broadcast()
        condition.unlock()
    }

    /// The output so far.
    package var log: String {
        condition.lock()
        defer { condition.unlock() }
        return output
    }

    /// Waits until `isEnough` accepts the output; returns all of it.
    @discardableResult
    package func waitForOutput(_ isEnough: (String) -> Bool) throws -> String {
        try wait(for: "output") {
            if isEnough(output) { return output }
            if hasEnded { throw Impatience(description: "the program ended with: \(output)") }
            return nil
        }
    }

    /// Waits for the end of the program; returns its exit status and whole output.
    package func waitForExit() throws -> (status: Int32, output: String) {
        try wait(for: "the end") {
            guard hasEnded, let status else { return nil }
            return (status, output)
        }
    }

    private func wait<Value>(for what: String, _ value: () throws -> Value?) throws -> Value {
        let deadline = Date(timeIntervalSinceNow: Self.patience)
        condition.lock()
        defer { condition.unlock() }
        while true {
            if let value = try value() { return value }
            guard condition.wait(until: deadline) else {
                throw Impatience(description: "waited in vain for \(what); so far: \(output)")
            }
        }
    }

    package var identifier: Int32 { process.processIdentifier }

    package func send(signal: Int32) { kill(identifier, signal) }
}

/// Programs that end on their own.
package enum Command {
    package struct Result: Sendable {
        package var status: Int32
        /// Standard output.
        package var output: String
        /// Standard error.
        package var complaints: String

        /// The non-empty lines of standard output.
        package var lines: [String] { output.split(separator: "\n").map(String.init) }
    }

    /// Runs a command, found by PATH, to its end, with a timeout of a minute.
    @discardableResult
    package static func run(_ command: [String], in folder: String? = nil) throws -> Result {
        let scratch = try TemporaryFolder(["out": "", "err": ""])
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["timeout", "-k", "1", "60"] + command
        if let folder { process.currentDirectoryURL = URL(filePath: folder) }
        let output = try FileHandle(forWritingTo: URL(filePath: scratch.file("out")))
        let complaints = try FileHandle(forWritingTo: URL(filePath: scratch.file("err")))
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = complaints
        try process.run()
        process.waitUntilExit()
        return Result(
            status: process.terminationStatus,
            output: try String(contentsOfFile: scratch.file("out"), encoding: .utf8),
            complaints: try String(contentsOfFile: scratch.file("err"), encoding: .utf8)
        )
    }
}
