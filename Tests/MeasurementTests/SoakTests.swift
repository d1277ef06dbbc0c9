import Foundation
import TestSupport
import Testing

/// Load with upstreams that come and go, lose a fifth of the queries and answer late, for
/// `SOAK_SECONDS` (default 20).
///
/// `make soak` runs it for ten minutes, then with builds for AddressSanitizer and ThreadSanitizer.
/// These report in the server's log and by its exit status.
@Suite(.serialized)
struct `A soak` {
    private static let seconds = number("SOAK_SECONDS") ?? 20
    /// Milliseconds: the server's limit of 5 s and a margin for the machine.
    ///
    /// Sanitizers need more.
    private static let patience = number("SOAK_PATIENCE") ?? 5500

    private static func number(_ variable: String) -> Int? {
        ProcessInfo.processInfo.environment[variable].flatMap { Int($0) }
    }

    /// Three upstreams; at most two of them are away at a time.
    private static func upstreams() throws -> [FlakyUpstream] {
        try (0..<3).map { number in
            var habits = FlakyUpstream.Habits()
            habits.offset = number * 3
            return try FlakyUpstream(habits, seed: UInt64(number))
        }
    }

    @Test func `leaves no question open for over five seconds and takes no more with time`() throws
    {
        let upstreams = try Self.upstreams()
        let list = upstreams.map { "127.0.0.1:\($0.port)" }.joined(separator: ", ")
        let server = try ZonalServer(
            "forward: [{ zone: \".\", to: [\(list)] }]\ncache: { size: 2MiB }\n"
        )
        var load = try SteadyLoad(port: server.port, rate: 500, names: 20_000, seed: 5)
        var figures = [try ProcessFigures(of: server.process)]
        for round in 0..<20 {
            load.run(for: .milliseconds(Self.seconds * 50))
            figures.append(try ProcessFigures(of: server.process))
            if round % 5 == 4 { server.process.send(signal: SIGHUP) }
        }
        load.drain(patience: .seconds(6))
        print(Self.report(load, figures, asked: upstreams.map(\.count)))

        #expect(load.unanswered == 0)
        #expect(load.longest < .milliseconds(Self.patience) + load.longestPause)
        // Both vary with the sockets, which are replaced every 20 s and kept for a while. A leak
        // raises the minimum of the last quarter above all earlier values.
        let (before, after) = (figures[1...15], figures[16...20])
        let memory = (
            before.map(\.residentMemory).max() ?? 0, after.map(\.residentMemory).min() ?? 0
        )
        #expect(memory.1 < memory.0 * 21 / 20 + 2048, "\(memory) KiB")
        let descriptors = (
            before.map(\.descriptors).max() ?? 0, after.map(\.descriptors).min() ?? 0
        )
        #expect(descriptors.1 <= descriptors.0 + 16, "\(descriptors)")
        // Some upstream is always there, so most queries are answered.
        #expect(load.failures < load.asked / 10, "\(load.replies)")

        server.process.send(signal: SIGTERM)
        let end = try server.process.waitForExit()
        #expect(end.status == 0, "\(end.output.suffix(4000))")
        #expect(!end.output.contains("Sanitizer"), "\(end.output.prefix(8000))")
    }

    private static func report(
        _ load: SteadyLoad,
        _ figures: [ProcessFigures],
        asked: [Int]
    ) -> String {
        let memory = figures.map { $0.residentMemory / 1024 }
        return """
            soak of \(seconds) s: \(load.asked) questions, \(asked.reduce(0, +)) upstream queries, \
            replies \(load.replies), longest wait \(load.longest) \
            (client's pause \(load.longestPause)), unanswered \(load.unanswered)
            resident MiB: \(memory)
            descriptors: \(figures.map(\.descriptors))
            """
    }
}
