import ArgumentParser
import Control
import DNSWire
import Snapshot

/// `zonal diff`: prints the answers that differ between two configurations.
struct DiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract:
            "Prints the answers that differ between two configurations, by client.",
        discussion: """
            Resolves every private name in both configurations, as clients of each VPC that sees it: one in
            each subnet, one in no subnet, one inbound; and as an outside client. With a list of queries,
            resolves those instead. Exits 0 if all answers are the same, 1 if some differ.
            """
    )

    @Argument(help: "The configuration to compare with.")
    var old: String

    @Argument(help: "The other configuration.")
    var new: String

    @Option(
        help: ArgumentHelp(
            "Resolve the queries in this file instead: lines of ADDRESS NAME [TYPE], or a query log.",
            valueName: "file"
        )
    )
    var queries: String?

    /// The comparison stops after this many differences.
    private static let limit = 10_000

    func run() throws {
        let (before, after) = (AnswerTable(try load(old)), AnswerTable(try load(new)))
        var count = 0
        func compare(_ query: DiffQuery) -> Bool {
            let (one, other) = (before.answer(to: query), after.answer(to: query))
            guard one != other else { return true }
            count += 1
            let client = query.label.map { "\($0) (\(query.client))" } ?? "\(query.client)"
            Terminal.print("\(client): \(query.name) \(query.type): \(one) -> \(other)")
            return count < Self.limit
        }
        if let queries {
            for query in try recorded(queries) where !compare(query) { break }
        } else {
            DiffQueries.forEach(before.world, after.world, compare)
        }
        if count == Self.limit {
            Terminal.printError("\(count) answers differ; the remaining answers were not compared")
        } else {
            Terminal.printError(count == 0 ? "no answer differs" : "\(count) answers differ")
        }
        if count > 0 { throw ExitCode(1) }
    }

    private func load(_ path: String) throws -> World {
        try ConfigurationOption.load(path: path).world
    }

    private func recorded(_ path: String) throws -> some Sequence<DiffQuery> {
        var diagnostics = Diagnostics()
        let recorded = RecordedQuery.read(path: path, diagnostics: &diagnostics)
        if diagnostics.hasErrors {
            DiagnosticPrinter(format: .text).print(diagnostics.all)
            throw ExitCode(2)
        }
        return recorded.lazy.map { DiffQuery(client: $0.client, name: $0.name, type: $0.type) }
    }
}

/// A query of one client.
struct DiffQuery: Hashable {
    var client: IPAddress
    /// The VPC whose own listener or endpoint receives the query, if any.
    var vpc: String?
    var name: DomainName
    var type: RecordType
    /// The kind of client, for the printed line.
    var label: String?
}

/// Resolves queries with one configuration.
struct AnswerTable {
    let world: World
    private let explainer: Explainer
    private let listeners: [String: Int]

    init(_ world: World) {
        self.world = world
        explainer = Explainer(world)
        let bound = world.listeners.enumerated().compactMap { index, scope in
            scope.vpc.map { (world.vpcs[$0].id, index) }
        }
        listeners = Dictionary(bound) { first, _ in first }
    }

    /// Returns the answer as text: `NOERROR 10.20.1.10, 10.20.2.10`, or the upstreams it is
    /// forwarded to.
    func answer(to query: DiffQuery) -> String {
        let listener = query.vpc.flatMap { listeners[$0] }
        let asker = explainer.snapshot.classify(query.client, listener: listener)
        let explanation = explainer.explain(query.name, query.type, of: query.client, as: asker)
        var words = [explanation.rcode.map { "\($0)" } ?? "forwarded"]
        let records = explanation.answers.filter(\.isChosen).map { record in
            record.type == query.type ? record.data : "\(record.type) \(record.data)"
        }
        if !records.isEmpty { words.append(records.sorted().joined(separator: ", ")) }
        if explanation.rcode == nil {
            let servers = explanation.route.upstreams.map(\.shortDescription)
                .joined(separator: ", ")
            if !servers.isEmpty { words.append("to \(servers)") }
        }
        return words.joined(separator: " ")
    }
}
