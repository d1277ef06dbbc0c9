import DNSWire
import Snapshot

/// Describes a delegation that an answer follows: its name servers, and whether they serve the
/// zone.
struct DelegationRemarks {
    let world: World
    let snapshot: CompiledSnapshot
    let seed: HashSeed
    /// At most this many servers are queried, to limit the wait for unresponsive ones.
    private static let serverLimit = 4

    /// A name server and the source of its addresses.
    struct NameServer {
        var name: DomainName
        var source: NameServerSource
        /// The addresses found in private zones.
        var addresses: [IPAddress] = []

        /// True if the server can be queried, possibly after its name has been looked up.
        var isAsked: Bool {
            if case .rule = source { return true }
            return !addresses.isEmpty
        }
    }

    /// A delegation that applies to a query.
    struct Followed {
        /// The queried name.
        var name: DomainName
        var cut: DomainName
        var servers: [NameServer]
    }

    /// Resolves the name servers of an NS RRset from this client's view.
    func servers(_ records: RRset, in zone: CompiledZone, for client: ClientClass) -> [NameServer] {
        var name = FoldedName(seed: seed)
        var scratch = FoldedName(seed: seed)
        var servers: [NameServer] = []
        for rdata in snapshot.rdata(of: records).prefix(CompiledSnapshot.nameServerLimit) {
            guard let server = DomainName(octets: rdata) else { continue }
            name.read(server)
            let source = snapshot.source(
                ofNameServer: name,
                delegatedBy: zone,
                client: client,
                scratch: &scratch
            )
            var found = NameServer(name: server, source: source)
            if case .node(let node) = source {
                snapshot.forEachServerAddress(of: node) { found.addresses.append($0) }
            }
            servers.append(found)
        }
        return servers
    }

    /// Returns one sentence for the delegation and one for each server.
    func sentences(_ delegation: Followed) -> [String] {
        var sentences = [
            "the delegation of \(delegation.cut) applies: its name servers are queried with RD=0"
        ]
        sentences += delegation.servers.map(sentence)
        if !delegation.servers.contains(where: \.isAsked) {
            sentences.append(
                "no name server of \(delegation.cut) has a usable address, so the answer is SERVFAIL"
            )
        }
        return sentences
    }

    private func sentence(about server: NameServer) -> String {
        switch server.source {
        case .node where server.addresses.isEmpty:
            return "\(server.name) is not queried: it has no valid address"
        case .node:
            let addresses = server.addresses.map { "\($0)" }.joined(separator: ", ")
            return "\(server.name) has the addresses \(addresses)"
        case .rule(let rule):
            return "the addresses of \(server.name) are looked up through the rule for "
                + "\(world.rules[rule].zone)"
        case .alias: return "\(server.name) is not queried: it is an alias (RFC 2181 §10.3)"
        case .nowhere:
            return
                "\(server.name) is not queried: no zone that this client sees has "
                + "its address"
        }
    }

    // MARK: Lame servers

    /// Queries the name servers and describes each one's reply.
    func queryServers(_ delegation: Followed, _ type: RecordType) -> [String] {
        let query = StubQuery(name: delegation.name, type: type, wantsRecursion: false)
        return delegation.servers.flatMap(addresses).prefix(Self.serverLimit).map { address in
            let reply = query.exchange(AddressAndPort(address))
            return "\(address) \(Self.summary(of: reply, about: delegation.cut))"
        }
    }

    private func addresses(of server: NameServer) -> [IPAddress] {
        guard case .rule(let rule) = server.source else { return server.addresses }
        let found = StubQuery(name: server.name, type: .a).ask(world.rules[rule].upstreams) ?? []
        return found.compactMap { IPAddress(octets: $0) }
    }

    private static func summary(of reply: [UInt8]?, about cut: DomainName) -> String {
        guard let reply, var reader = try? MessageReader(reply.span), reader.questionCount == 1,
            (try? reader.skipQuestion(of: reply.span)) != nil
        else { return "does not answer" }
        guard reader.rcode == .noError || reader.rcode == .nonexistentDomain else {
            return "is lame: it replies \(reader.rcode)"
        }
        let code = reader.rcode
        var referral: DomainName?
        while let record = try? reader.next(in: reply.span) {
            guard record.section != .answer, record.type != .soa else { return "answers: \(code)" }
            guard record.section == .authority, record.type == .ns else { continue }
            referral = try? reply.span.name(at: record.owner)
        }
        guard code == .noError, let referral else { return "answers: \(code)" }
        return referral != cut && referral.isInside(cut)
            ? "returns a referral to the servers of \(referral), which is not followed"
            : "is lame: it returns a referral to the servers of \(referral)"
    }
}

extension Explainer {
    /// Adds a followed delegation to the explanation.
    ///
    /// It becomes the route if no alias led to it.
    func add(
        _ name: DomainName,
        delegatedTo records: RRset,
        at cut: DomainName,
        of zone: CompiledZone,
        client: ClientClass,
        to explanation: inout Explanation
    ) {
        let servers = delegations.servers(records, in: zone, for: client)
        let followed = DelegationRemarks.Followed(name: name, cut: cut, servers: servers)
        explanation.delegation = followed
        explanation.steps += delegations.sentences(followed)
        guard explanation.answers.isEmpty else { return }
        let origin = origins.origins(of: records, ownedBy: cut, in: zone).first
        let file = file(origin, of: zone)
        explanation.route = Explanation.ChosenRoute(
            kind: "forward",
            zone: cut,
            file: file,
            line: file.flatMap { _ in origin?.line },
            upstreams: servers.flatMap(\.addresses).map { AddressAndPort($0) }
        )
    }

    var delegations: DelegationRemarks {
        DelegationRemarks(world: world, snapshot: snapshot, seed: seed)
    }
}
