package import DNSWire
import Resolver
import Snapshot
import Synchronization
package import Upstream

/// Collects what every worker knows of some upstreams.
package final class UpstreamSurvey: Sendable {
    let upstreams: [AddressAndPort]
    let arrivals = Arrivals()
    private let found = Mutex<[AddressAndPort: UpstreamReport]>([:])

    init(of upstreams: [AddressAndPort]) { self.upstreams = upstreams }

    /// The merged reports of the workers that have answered so far.
    var reports: [AddressAndPort: UpstreamReport] { found.withLock { $0 } }

    /// Adds the reports of one worker, which calls this once.
    func add(_ reports: [UpstreamReport]) {
        found.withLock { found in
            for (upstream, report) in zip(upstreams, reports) {
                found[upstream] = found[upstream]?.merged(with: report) ?? report
            }
        }
        arrivals.note()
    }
}

/// The state of an upstream, as `zonal status` shows it.
package struct UpstreamStatus: Sendable {
    package var upstream: AddressAndPort
    /// The zones of the rules that name it.
    package var zones: [DomainName]
    /// True if it is one of the servers that `system` stands for.
    package var isSystem: Bool
    /// True if it forwards queries of a rule back to this server.
    package var isLoop: Bool
    package var report: UpstreamReport
}

extension Server {
    /// The state of every upstream of a rule, in the order of the rules.
    package func upstreamStatus() async -> [UpstreamStatus] {
        var all = Self.upstreams(of: served.world.rules)
        let survey = UpstreamSurvey(of: all.map(\.upstream))
        survey.arrivals.expect(datagrams.survey(survey))
        await withCheckedContinuation { continuation in
            // `wait` blocks its thread.
            BackgroundThread().run {
                survey.arrivals.wait()
                continuation.resume()
            }
        }
        let (reports, loops) = (survey.reports, Set(datagrams.loops.map(\.upstream)))
        for index in all.indices {
            let upstream = all[index].upstream
            all[index].isLoop = loops.contains(upstream)
            if let report = reports[upstream] { all[index].report = report }
        }
        return all
    }

    private static func upstreams(of rules: [ForwardRule]) -> [UpstreamStatus] {
        var all: [UpstreamStatus] = []
        var places: [AddressAndPort: Int] = [:]
        for rule in rules {
            let system = Set(rule.systemServers)
            for upstream in rule.upstreams {
                let place = places[upstream] ?? all.count
                if place == all.count {
                    places[upstream] = place
                    all.append(
                        UpstreamStatus(
                            upstream: upstream,
                            zones: [],
                            isSystem: false,
                            isLoop: false,
                            report: UpstreamReport()
                        )
                    )
                }
                if all[place].zones.last != rule.zone { all[place].zones.append(rule.zone) }
                if system.contains(upstream) { all[place].isSystem = true }
            }
        }
        return all
    }
}
