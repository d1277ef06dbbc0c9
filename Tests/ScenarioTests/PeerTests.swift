import DNSWire
import TestSupport
import Testing

/// Answers of other resolvers pass through Zonal unchanged.
///
/// Intended differences are not compared: AA and AD; the additional section, and records of the
/// authority section that prove nothing (`AnswerContents`); ANY and meta types, which Zonal answers
/// itself; and alias chains that loop or exceed 16, which are SERVFAIL. Zonal follows an alias
/// chain that the upstream does not complete, so its rest is also queried directly (`PeerAnswers`).
/// A validating resolver returns more or fewer proofs depending on its cache (RFC 8198) and on
/// expired records: more proofs are no difference, and fewer are accepted in a few answers.
@Suite(.serialized, .peerWorld)
struct `Real resolvers as upstreams` {
    @Test(arguments: ResolverKind.allCases)
    func `give 5,000 questions the same answers through Zonal`(kind: ResolverKind) throws {
        let world = try #require(PeerWorld.current)
        let upstream = try RecursiveServer(kind, world.servers)
        let zonal = try ZonalServer(
            "forward: [{ zone: \".\", to: [127.0.0.1:\(upstream.port)] }]\n"
        )
        let start = ContinuousClock.now
        let direct = try PeerAnswers.ask(world.questions, port: upstream.port)
        let through = try QueryClient(port: zonal.port).ask(world.questions)
        let comparison = PeerComparison(direct, for: start.duration(to: .now))
        let differing = world.questions.indices.filter {
            !comparison.compare(world.questions[$0], direct: direct[$0], through: through[$0])
                .isEmpty
        }
        // A peer's answer can depend on earlier queries; then the query is repeated.
        let again = try PeerAnswers.ask(differing.map { world.questions[$0] }, port: upstream.port)
        let differences = zip(differing, again).flatMap { number, again in
            comparison.compare(world.questions[number], direct: again, through: through[number])
        }
        let text = differences.prefix(20).map(\.text).joined(separator: "\n")
        #expect(
            !differences.contains { !$0.isLackOfProof },
            "\(kind.rawValue): \(differences.count) differences\n\(text)"
        )
        #expect(differences.count <= 8, "\(kind.rawValue)\n\(text)")
        #expect(differing.count < 50, "\(kind.rawValue) contradicts itself")
        // The queries are meaningful only if the peer answers them.
        let rcodes = Dictionary(grouping: direct, by: \.rcode).mapValues(\.count)
        #expect(rcodes[.noError] ?? 0 > 2500, "\(rcodes)")
        #expect(rcodes[.nonexistentDomain] ?? 0 > 400, "\(rcodes)")
        #expect(rcodes[.serverFailure] ?? 0 < 50, "\(rcodes)")
    }
}

/// Zones on NSD and Knot DNS, and queries about them.
private final class PeerWorld: Sendable {
    @TaskLocal static var current: PeerWorld?

    let questions: [ClientQuestion]
    /// The zones' servers in the form that a resolver's configuration has.
    let servers: [RecursiveServer.Zone]
    private let nsd: NSDServer
    private let knot: KnotServer

    init() throws {
        let origins = ["signed.example.org", "example.org", "example.net", "example.com"]
        let zones = origins.enumerated().map { number, origin in
            // Knot Resolver chooses a server only by the queried name, and validates signed zones.
            let others = origin == origins[0] || origin == origins[2] ? [] : origins
            return PeerZone(origin, others: others, seed: UInt64(number))
        }
        let nsec = try SignedZone(origins[0], zones[0].text, proofs: .nsec)
        let nsec3 = try SignedZone(origins[2], zones[2].text, proofs: .nsec3)
        nsd = try NSDServer([origins[0]: nsec.text, origins[1]: zones[1].text])
        knot = try KnotServer(
            [origins[2]: nsec3.text, origins[3]: zones[3].text],
            overTCPAlone: [origins[3]]
        )
        servers = [
            .init(name: origins[0], port: nsd.port, delegationSigner: nsec.delegationSigner),
            .init(name: origins[1], port: nsd.port),
            .init(name: origins[2], port: knot.port, delegationSigner: nsec3.delegationSigner),
            .init(name: origins[3], port: knot.port),
        ]
        questions = PeerQuestions.make(5000, about: zones, seed: 5000)
    }
}

extension SuiteTrait where Self == SharedWorld<PeerWorld> {
    fileprivate static var peerWorld: Self { SharedWorld(PeerWorld.$current) { try PeerWorld() } }
}

/// The answers of a peer that is queried directly.
private enum PeerAnswers {
    static func ask(_ questions: [ClientQuestion], port: UInt16) throws -> [AnswerContents] {
        let client = try QueryClient(port: port)
        var answers = try client.ask(questions).map(AnswerContents.init)
        // As many zones as a chain may contain.
        for _ in 0..<8 {
            var open: [(number: Int, rest: ClientQuestion)] = []
            for (number, question) in questions.enumerated() {
                let end = answers[number].openEnd(of: question.name.folded, type: question.type)
                guard let end else { continue }
                var rest = question
                rest.name = end
                open.append((number, rest))
            }
            if open.isEmpty { break }
            for ((number, _), reply) in zip(open, try client.ask(open.map(\.rest))) {
                answers[number].append(try AnswerContents(reply))
            }
        }
        return answers
    }
}

private struct Difference {
    var text: String
    /// An NSEC or NSEC3 record, or its signature, is missing.
    var isLackOfProof = false
}

/// The differences between answers to the same queries.
private struct PeerComparison {
    /// The highest TTL that the peer has returned for each record.
    private var highest: [RecordContents: UInt32] = [:]

    /// A record that the peer has fetched again may have a TTL higher by this much.
    private let seconds: UInt32

    init(_ answers: [AnswerContents], for time: Duration) {
        seconds = UInt32(time.components.seconds) + 1
        for answer in answers { highest.merge(answer.ttls) { max($0, $1) } }
    }

    func compare(
        _ question: ClientQuestion,
        direct: AnswerContents,
        through reply: [UInt8]
    ) -> [Difference] {
        guard let through = try? AnswerContents(reply) else {
            return [Difference(text: "\(question): cannot be read")]
        }
        let lacking = direct.records.subtracting(through.records)
        let lackingProofs = lacking.filter(\.isProof).map {
            Difference(text: "\(question): lacks \($0)", isLackOfProof: true)
        }
        var found = lacking.filter { !$0.isProof }.map { "lacks \($0)" }
        found += through.records.subtracting(direct.records).filter { !$0.isProof }
            .map { "adds \($0)" }
        found += through.repeated.map { "repeats \($0)" }
        if direct.rcode != through.rcode { found.append("\(through.rcode), not \(direct.rcode)") }
        if through.question != question.octets { found.append("echoes another question") }
        for (record, ttl) in through.ttls where ttl > (highest[record] ?? ttl) + seconds {
            found.append("TTL \(ttl) above \(highest[record] ?? 0) of \(record)")
        }
        return lackingProofs + found.map { Difference(text: "\(question): \($0)") }
    }
}
