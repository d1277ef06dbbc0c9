import Control
import DNSWire
import Foundation
import Resolver
import Server
import Snapshot
import Upstream

/// The output of `zonal status`.
struct StatusReport {
    var server: ServerStatus
    var world: World
    var upstreams: [UpstreamStatus]
    var configuration: String
    var startedAt: Date
    var loadedAt: Date
    /// The error of the last reload; nil if it succeeded.
    var failure: Diagnostic?

    /// The report as text.
    var lines: [String] {
        let uptime = max(Int(Date().timeIntervalSince(startedAt)), 0)
        let connections = server.connections == 1 ? "connection" : "connections"
        var lines = [
            "zonal \(Release.version), up \(uptime)s",
            "\(configuration), loaded \(Self.text(of: loadedAt))",
        ]
        if let failure {
            let text = DiagnosticPrinter.lines(of: failure)
            lines += ["the last reload failed: \(text[0])"] + text.dropFirst()
        }
        lines += server.listeners.map { "listening on \($0)" }
        lines += server.listenersWaiting.map {
            "waiting for the address of \($0)"
        }
        if let system { lines.append(Self.line(ofSystem: system)) }
        lines += upstreams.map(Self.line)
        lines.append(
            "\(server.connections) \(connections), \(server.cacheEntries) cached answers in \(server.cacheOctets) of \(server.cacheSize) octets"
        )
        lines.append(counts.map { "\($0.name) \($0.count)" }.joined(separator: ", "))
        lines.append(server.descriptors.line)
        if server.logDropped > 0 { lines.append("\(server.logDropped) log lines dropped") }
        let load = server.healthLoad
        if load.addresses > 0 {
            lines.append("\(load.addresses) addresses checked, \(load.overdue) checks overdue")
        }
        for zone in zones {
            lines.append("")
            let up = zone.reports.count { $0.isUp }
            lines.append("\(zone.apex) \(up)/\(zone.reports.count) up")
            lines += zone.reports.map(Self.line)
        }
        return lines
    }

    /// The upstreams of `system`; nil if no rule uses it.
    private var system: [AddressAndPort]? {
        world.rules.first { $0.system != nil }?.systemServers
    }

    private static func line(ofSystem servers: [AddressAndPort]) -> String {
        guard !servers.isEmpty else {
            return "system has no servers: /etc/resolv.conf names no other server"
        }
        return "system is " + servers.map(\.shortDescription).joined(separator: ", ")
    }

    private static func state(of upstream: UpstreamStatus) -> String {
        upstream.isLoop ? "loop" : upstream.report.state.rawValue
    }

    private static func line(of upstream: UpstreamStatus) -> String {
        var line = "upstream \(upstream.upstream.shortDescription) \(state(of: upstream))"
        if let time = upstream.report.roundTrip { line += ", \(text(ofMilliseconds: time)) ms" }
        let shown = upstream.zones.prefix(zonesShown).map { "\($0)" }
        let rest = upstream.zones.count - shown.count
        line += ", for " + shown.joined(separator: ", ")
        return rest > 0 ? line + " and \(rest) more" : line
    }

    /// The number of zones shown for an upstream.
    private static let zonesShown = 8

    private static func text(ofMilliseconds time: Double) -> String {
        "\((time * 10).rounded() / 10)"
    }

    private static func line(of report: HealthReport) -> String {
        var line = "  \(place(of: report)) \(report.isUp ? "up" : "down")"
        line += " since \(text(of: report.changedAt))"
        if !report.isUp, let reason = report.lastFailure { line += ": \(reason)" }
        return line
    }

    /// The report as one JSON object on one line.
    var json: String {
        let counts = counts.map { ($0.name, String($0.count)) }
        let uptime = max(Int(Date().timeIntervalSince(startedAt)), 0)
        return JSONText.object([
            ("version", JSONText.string(Release.version)),
            ("pid", String(ProcessInfo.processInfo.processIdentifier)),
            ("uptime", String(uptime)),
            ("configuration", JSONText.string(configuration)),
            ("loaded", JSONText.string(Self.text(of: loadedAt))),
            ("reload-error", failure.map { JSONText.string("\($0)") } ?? "null"),
            ("listeners", JSONText.list(server.listeners.map { JSONText.string("\($0)") })),
            (
                "listeners-waiting",
                JSONText.list(server.listenersWaiting.map { JSONText.string("\($0)") })
            ),
            (
                "system",
                system.map { JSONText.list($0.map { JSONText.string("\($0)") }) } ?? "null"
            ),
            ("upstreams", JSONText.list(upstreams.map(Self.json))),
            ("connections", String(server.connections)),
            ("counts", JSONText.object(counts)),
            (
                "cache",
                JSONText.object([
                    ("entries", String(server.cacheEntries)),
                    ("octets", String(server.cacheOctets)), ("size", String(server.cacheSize)),
                ])
            ),
            (
                "health",
                JSONText.object([
                    ("addresses", String(server.healthLoad.addresses)),
                    ("overdue", String(server.healthLoad.overdue)),
                ])
            ),
            ("descriptors", server.descriptors.json),
            ("log-dropped", String(server.logDropped)),
            ("zones", JSONText.list(zones.map(Self.json))),
        ])
    }

    private static func json(of upstream: UpstreamStatus) -> String {
        JSONText.object([
            ("upstream", JSONText.string(upstream.upstream.shortDescription)),
            ("state", JSONText.string(state(of: upstream))),
            ("rtt-ms", upstream.report.roundTrip.map(text(ofMilliseconds:)) ?? "null"),
            ("system", String(upstream.isSystem)),
            ("zones", JSONText.list(upstream.zones.map { JSONText.string("\($0)") })),
        ])
    }

    private static func json(of zone: CheckedZone) -> String {
        JSONText.object([
            ("zone", JSONText.string("\(zone.apex)")),
            ("addresses", JSONText.list(zone.reports.map(json))),
        ])
    }

    private static func json(of report: HealthReport) -> String {
        JSONText.object([
            ("address", JSONText.string("\(report.target.address)")),
            ("port", String(report.target.check.port)),
            ("https", report.target.check.path.map(JSONText.string) ?? "null"),
            ("up", String(report.isUp)),
            ("since", JSONText.string(text(of: report.changedAt))),
            ("last-failure", report.lastFailure.map(JSONText.string) ?? "null"),
        ])
    }

    // MARK: Parts

    /// The counters of all workers and streams, added up.
    private var counts: [(name: String, count: UInt64)] {
        WorkerCounts.names.map { name, count in
            name == "failed-open"
                ? (name, server.failedOpen) : (name, server.counts[keyPath: count])
        }
    }

    private struct CheckedZone {
        var apex: DomainName
        var reports: [HealthReport]
    }

    /// The zones that have `health`, in the order of the configuration; zones of the same name are
    /// merged.
    private var zones: [CheckedZone] {
        let reports = Dictionary(grouping: server.health, by: \.target.zone)
        var seen: Set<DomainName> = []
        return world.zones.filter { $0.health != nil && seen.insert($0.apex).inserted }
            .map { CheckedZone(apex: $0.apex, reports: reports[$0.apex] ?? []) }
    }

    private static func place(of report: HealthReport) -> String {
        let place = AddressAndPort(report.target.address, port: report.target.check.port)
        return report.target.check.path.map { "\(place)\($0)" } ?? "\(place)"
    }

    private static func text(of seconds: UInt32) -> String {
        text(of: Date(timeIntervalSince1970: Double(seconds)))
    }

    private static func text(of date: Date) -> String {
        date.formatted(.iso8601)
    }
}

extension DescriptorUse {
    /// Each use of file descriptors, with its limit.
    private var kinds: [(name: String, open: Int, most: Int)] {
        [
            ("connections", connections, budget.connections),
            ("upstream-sockets", upstreamSockets, budget.upstreamSockets),
            ("upstream-connections", upstreamConnections, budget.upstreamConnections),
            ("health-checks", healthChecks, budget.healthChecks),
        ]
    }

    fileprivate var line: String {
        let parts = kinds.map { "\($0.open) of \($0.most) \($0.name)" }.joined(separator: ", ")
        return "\(open.map(String.init) ?? "?") of \(budget.limit) files open: \(parts)"
    }

    fileprivate var json: String {
        JSONText.object(
            [("open", open.map(String.init) ?? "null"), ("limit", String(budget.limit))]
                + kinds.map { kind in
                    (
                        kind.name,
                        JSONText.object([("open", String(kind.open)), ("limit", String(kind.most))])
                    )
                }
        )
    }
}
