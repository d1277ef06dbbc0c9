import Control
import DNSWire
import Foundation
import Resolver
import Server
import Snapshot

/// Executes the commands that arrive on the control socket.
struct ControlCommands: Sendable {
    let server: Server
    let reloader: Reloader
    let source: ServerConfiguration
    private let startedAt = Date()

    init(server: Server, reloader: Reloader, source: ServerConfiguration) {
        self.server = server
        self.reloader = reloader
        self.source = source
    }

    /// Executes one line from the control socket.
    func answer(_ line: String) async -> ControlReply {
        guard let request = ControlRequest(reading: line) else {
            return .error("unknown request; use the zonal command of the server's version")
        }
        switch request {
        case .status(let format): return .done(await status(format))
        case .reload: return await reload()
        case .flush(let name):
            let before = server.cache.entryCount
            server.cache.flush(below: name)
            let count = max(before - server.cache.entryCount, 0)
            return .done("\(count) cached answer\(count == 1 ? "" : "s") flushed\n")
        case .explain(let question, let format): return explain(question, format)
        }
    }

    private func status(_ format: OutputFormat) async -> String {
        let outcome = reloader.outcome
        let report = StatusReport(
            server: server.status,
            world: server.served.world,
            upstreams: await server.upstreamStatus(),
            configuration: source.path,
            startedAt: startedAt,
            loadedAt: outcome.loadedAt,
            failure: outcome.failure
        )
        return format == .json ? report.json + "\n" : Self.text(of: report.lines)
    }

    private func reload() async -> ControlReply {
        let result = await reloader.reload()
        let (diagnostics, unchanged) = (result.found, result.unchanged)
        let text = Self.text(of: diagnostics.all.flatMap(DiagnosticPrinter.lines))
        guard !diagnostics.hasErrors else {
            return .failed(
                text + "zonal: reload failed; the previous configuration stays in force\n"
            )
        }
        let notes = unchanged.map {
            "\($0.rawValue) has changed; that takes effect with a restart\n"
        }
        return .done(text + notes.joined() + "reloaded\n")
    }

    /// Joins lines as the socket carries them: each ends with a line feed.
    private static func text(of lines: [String]) -> String {
        lines.map { HarmlessText.line($0) + "\n" }.joined()
    }

    private func explain(_ question: ExplainedQuestion, _ format: OutputFormat) -> ControlReply {
        let live = Explainer.Live(cache: server.cache, now: SteadyClock.seconds())
        let explainer = Explainer(
            server.served,
            listeners: server.addresses,
            seed: server.seed,
            live: live
        )
        let explanation: Explanation
        do throws(ExplainFault) {
            explanation = try explainer.explain(question)
        } catch {
            return .failed("\(error.message)\n")
        }
        return .done(
            format == .json
                ? explanation.json + "\n" : Self.text(of: explanation.lines)
        )
    }
}
