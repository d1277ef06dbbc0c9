import Control
import DNSWire
import Resolver
import Server
import Snapshot

/// Why a client gets its answer: the trace of the server's own stages, as text.
struct Explanation {
    var client: AskingClient
    var name: DomainName
    var type: RecordType
    var route: ChosenRoute
    /// The response code; nil if an upstream decides it or no reply is sent.
    var rcode: ResponseCode?
    var answers: [Record] = []
    /// The decisions, one line each.
    var steps: [String] = []
    /// True if the last private zone did not have the name or type and lets it fall through.
    fileprivate var hasFallenThrough = false
    /// The last delegation that was followed, if any.
    var delegation: DelegationRemarks.Followed?
    /// The owner of the last answer's records: the AZ-ID form of a zonal name, or a wildcard.
    fileprivate var owner: DomainName?

    struct AskingClient {
        var address: IPAddress
        /// The address of the listener, if `--listener` was given.
        var listener: AddressAndPort?
        var scope: ClientClass.Scope
        var vpc: String?
        var account: String?
        var subnet: String?
        var azID: String?
        var azName: String?
    }

    struct ChosenRoute {
        var kind: String
        var zone: DomainName?
        var file: String?
        var line: Int?
        var upstreams: [AddressAndPort] = []
    }

    struct Record {
        var name: DomainName
        var type: RecordType
        var ttl: UInt32
        var data: String
        var azID: String?
        var isChosen: Bool
        var reason: String
        /// The health state from a running server; nil if the address has no health check.
        var isUp: Bool?
        var file: String?
        var line: Int?
    }
}

/// Runs the pipeline once with a trace and builds an explanation of it.
struct Explainer {
    let world: World
    let snapshot: CompiledSnapshot
    let seed: HashSeed
    let origins: RecordOrigins
    /// The addresses of the listeners, by their numbers.
    private let listeners: [AddressAndPort]
    /// The state of a running server; nil if none is used.
    let live: Live?
    /// An empty cache, used without a running server.
    private let emptyCache = ResponseCache(byteCount: 0)

    /// The state of a server that is not in its snapshot.
    struct Live {
        var cache: ResponseCache
        /// The monotonic clock, in seconds.
        var now: UInt32
    }

    init(_ world: World, listeners: [AddressAndPort] = []) {
        self.world = world
        self.listeners = listeners
        seed = .random()
        snapshot = CompiledSnapshot(compiling: world, seed: seed, keepingOrigins: true)
        origins = RecordOrigins(world, snapshot)
        live = nil
    }

    /// Explains answers of a running server.
    init(_ served: ServedState, listeners: [AddressAndPort], seed: HashSeed, live: Live) {
        self.listeners = listeners
        world = served.world
        snapshot = served.snapshot
        self.seed = seed
        origins = RecordOrigins(world, snapshot)
        self.live = live
    }

    /// Explains a query as the command received it.
    ///
    /// Without a running server, this also queries upstreams and delegated name servers.
    func explain(_ question: ExplainedQuestion) throws(ExplainFault) -> Explanation {
        let (name, type) = (question.name, question.type)
        let place = try question.listener.map { text throws(ExplainFault) in try listener(text) }
        let asker = try classify(question.client, endpoint: question.endpoint, at: place?.number)
        var explanation = explain(name, type, of: question.client, as: asker)
        if let place {
            explanation.client.listener = place.address
            explanation.steps.insert(sentence(about: place), at: 0)
        }
        if live == nil, explanation.route.kind == "forward", explanation.rcode == nil {
            explanation.steps += gatewaySentences(name, type, asker, explanation.route)
        }
        if live == nil, let delegation = explanation.delegation, explanation.rcode == nil {
            explanation.steps += delegations.queryServers(delegation, type)
        }
        return explanation
    }

    /// Explains the answer to a client whose class is known; sends no queries.
    func explain(
        _ name: DomainName,
        _ type: RecordType,
        of address: IPAddress,
        as asker: ClientClass
    ) -> Explanation {
        let trace = Trace()
        let (verdict, reply) = run(name, type, from: address, as: asker, trace)
        var explanation = Explanation(
            client: client(address, asker),
            name: name,
            type: type,
            route: Explanation.ChosenRoute(kind: "refused")
        )
        explanation.steps.append(sentence(about: explanation.client))
        for event in trace.events { add(event, client: asker, to: &explanation) }
        switch verdict {
        case .reply, .replyAndRefresh:
            explanation.rcode = reply.rcode
            if Self.isLeftToUpstreams(trace.events.last), reply.rcode != .serverFailure {
                explanation.steps.append("the cache provides the rest of the answer" + reply.remark)
            }
            if live != nil { reply.addRecords(to: &explanation.answers) }
        case .forward: explanation.steps.append("an upstream decides the rest of the answer")
        case .drop: explanation.steps.append("no reply is sent: `clients.otherwise` is drop")
        }
        return explanation
    }

    /// Returns true if upstreams provide the rest of the answer.
    private static func isLeftToUpstreams(_ event: Trace.Event?) -> Bool {
        switch event {
        case .delegated: true
        case .routed(_, .some(let route)): if case .rule = route.kind { true } else { false }
        default: false
        }
    }

    /// Describes what an upstream returns for a name whose traffic a gateway endpoint routes.
    private func gatewaySentences(
        _ name: DomainName,
        _ type: RecordType,
        _ asker: ClientClass,
        _ route: Explanation.ChosenRoute
    ) -> [String] {
        let remarks = EndpointRemarks(world)
        guard type.isAddress, let endpoint = remarks.gateway(of: name, for: asker) else {
            return []
        }
        let answer =
            endpoint.prefixes.isEmpty ? nil : StubQuery(name: name, type: type).ask(route.upstreams)
        let addresses = answer?.compactMap { IPAddress(octets: $0) }
        return [remarks.sentence(about: addresses, through: endpoint)]
    }

    // MARK: The listener

    /// The listener that receives the query.
    private struct Place {
        var number: Int
        var address: AddressAndPort
    }

    /// Classifies the client; `listener` is the number of the listener, if it matters for
    /// classification.
    private func classify(
        _ address: IPAddress,
        endpoint: String?,
        at listener: Int?
    ) throws(ExplainFault) -> ClientClass {
        guard let endpoint else { return snapshot.classify(address, listener: listener) }
        if let listener, !snapshot.takesHeaders(listener: listener) {
            throw ExplainFault(
                message:
                    "--vpce: the listener \(listeners[listener]) has no proxy-protocol, so it reads no PROXY header; remove --vpce"
            )
        }
        let found = EndpointID(endpoint).flatMap { snapshot.classify(address, endpoint: $0) }
        guard let found else {
            throw ExplainFault(
                message:
                    "--vpce: no configured VPC lists the endpoint '\(endpoint)'; add it to `endpoints` of its VPC"
            )
        }
        return found
    }

    /// Returns the listener at this address; without a port, the first one at the address.
    private func listener(_ text: String) throws(ExplainFault) -> Place {
        guard let wanted = AddressAndPort(text, defaultPort: 0) else {
            throw ExplainFault(
                message: "--listener: '\(text)' is not an address; write 10.20.0.2:53"
            )
        }
        let places = listeners.enumerated()
            .filter { index, place in
                !world.listeners[index].isClosed
                    && (wanted.port == 0 || wanted.port == place.port)
            }
            .map { Place(number: $0.offset, address: $0.element) }
        let exact = places.first {
            $0.address.address == wanted.address && $0.address.scope == wanted.scope
        }
        let whole = places.first {
            $0.address.isWildcard && $0.address.address.isV4 == wanted.address.isV4
        }
        guard let found = exact ?? whole else {
            let known = listeners.prefix(8).map { "\($0)" }.joined(separator: ", ")
            throw ExplainFault(
                message:
                    "--listener: no listener has the address '\(text)'; the listeners are \(known)"
            )
        }
        return found
    }

    private func sentence(about place: Place) -> String {
        let scope = world.listeners[place.number]
        var parts: [String] = []
        if let vpc = scope.vpc { parts.append("it belongs to \(world.vpcs[vpc].id)") }
        if let account = scope.account {
            parts.append("with the AZ names of account \(world.accounts[account].id)")
        }
        if let proxies = scope.proxies {
            let ranges = proxies.map { "\($0)" }.joined(separator: ", ")
            parts.append("proxies in \(ranges) send the client's address in a PROXY header")
        }
        let rest = parts.isEmpty ? "it belongs to no VPC" : parts.joined(separator: ", ")
        return "the listener \(place.address) receives the query: \(rest)"
    }

    // MARK: The answer

    private func run(
        _ name: DomainName,
        _ type: RecordType,
        from address: IPAddress,
        as asker: ClientClass,
        _ trace: Trace
    ) -> (Verdict, ExplainedReply) {
        var pipeline = Pipeline(cache: live?.cache ?? emptyCache, seed: seed)
        pipeline.trace = trace
        var miss = Miss(seed: seed)
        let message = Self.query(name, type)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_535, alignment: 8)
        defer { unsafe buffer.deallocate() }
        // Sound: the buffer outlives the writer, and nothing else uses it.
        var reply = unsafe ReplyWriter(buffer, limit: 65_535)
        let verdict = pipeline.answer(
            message.span,
            from: Client(address: address, listener: 0, transport: .stream),
            as: asker,
            in: snapshot,
            knowing: .start,
            now: live?.now ?? 0,
            into: &reply,
            missing: &miss
        )
        return (verdict, reply.withOctets { ExplainedReply($0) })
    }

    /// Returns a query with RD set and without OPT.
    private static func query(_ name: DomainName, _ type: RecordType) -> [UInt8] {
        let header: [UInt8] = [0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        let (high, low) = (UInt8(type.rawValue >> 8), UInt8(type.rawValue & 0xFF))
        return header + name.octets + [high, low, 0, 1]
    }

    // MARK: The client

    private func client(
        _ address: IPAddress,
        _ asker: ClientClass
    ) -> Explanation.AskingClient {
        let vpc = asker.vpc.map { world.vpcs[$0] }
        let account = asker.account.map { world.accounts[$0] }
        let azID = asker.az == .unknown ? nil : snapshot.azIDs[Int(asker.az.value)]
        return Explanation.AskingClient(
            address: address,
            scope: asker.scope,
            vpc: vpc?.id,
            account: account?.id,
            subnet: asker.subnet.flatMap { vpc?.subnets[$0].id },
            azID: azID,
            azName: azID.flatMap { account?.azNames.name(of: $0) }
        )
    }

    private func sentence(about client: Explanation.AskingClient) -> String {
        switch client.scope {
        case .refused: return sentence(aboutRefused: client.address)
        case .outside: return "\(client.address) is an outside client: allowed, and in no VPC"
        case .inbound:
            return
                "\(client.address) arrives through an inbound resolver endpoint of \(client.vpc ?? "?")"
        case .vpc:
            var text = "\(client.address) is in \(client.vpc ?? "?") of \(client.account ?? "?")"
            guard let subnet = client.subnet else { return text + ", in no known subnet" }
            text += ", in \(subnet), which is in \(client.azID ?? "no known AZ")"
            if let name = client.azName { text += ", called \(name) by that account" }
            return text
        }
    }

    private func sentence(aboutRefused address: IPAddress) -> String {
        let vpcs = world.vpcs.filter { $0.ranges.contains { $0.contains(address) } }.map(\.id)
        guard vpcs.count > 1 else {
            return "\(address) is refused: it is in no VPC, and clients.allow does not contain it"
        }
        return
            "\(address) is refused: it is in ranges of \(vpcs.joined(separator: " and ")), and the listener does not decide which; give each of these VPCs its own listener"
    }

    // MARK: The stages

    private func add(_ event: Trace.Event, client: ClientClass, to explanation: inout Explanation) {
        switch event {
        case .classified: break
        // The remarks about the delegation are more precise.
        case .routed(_, .some(let route)) where route.isDelegation: break
        case .routed(let name, let route):
            let chosen = describe(route)
            if explanation.route.zone == nil || explanation.hasFallenThrough {
                explanation.route = chosen
            }
            explanation.hasFallenThrough = false
            explanation.steps.append(sentence(about: name, chosen, route))
            explanation.steps += EndpointRemarks(world).sentences(
                about: name,
                for: client,
                isPrivate: chosen.kind == "private"
            )
        case .matched(let name, let zone, let match):
            explanation.hasFallenThrough = zone.fallsThrough != .off && match.isEmpty
            explanation.owner = match.node.map(snapshot.name)
            explanation.steps.append(sentence(about: name, zone, match))
        case .answered(let name, let zone, let rrset, let selection):
            if selection.health == .failedOpen {
                explanation.steps.append("no address of \(name) is up, so all of them are returned")
            }
            explanation.answers += records(
                name,
                ownedBy: explanation.owner ?? name,
                zone,
                rrset,
                selection,
                client: client
            )
        case .delegated(let name, let cut, let zone, let records):
            add(name, delegatedTo: records, at: cut, of: zone, client: client, to: &explanation)
        case .typePassedOn(let name, let type):
            explanation.hasFallenThrough = true
            explanation.steps.append(
                "\(name) has no \(type) in the zone; missing types fall through"
            )
        case .existsElsewhere(let name):
            explanation.steps.append(
                "a zone or rule exists below \(name), so the answer is NODATA instead of NXDOMAIN"
            )
        case .substituted(let name, let target, let ttl):
            explanation.answers.append(substitute(name, target, ttl, explanation.answers.last))
        }
    }

    private func describe(_ route: Route?) -> Explanation.ChosenRoute {
        switch route?.kind {
        case nil: return Explanation.ChosenRoute(kind: "refused")
        case .zone(let number):
            let compiled = snapshot.zone(number)
            let apex = apex(of: compiled)
            let origin = origins.origins(of: compiled.soa, ownedBy: apex, in: compiled).first
            return Explanation.ChosenRoute(
                kind: "private",
                zone: apex,
                file: file(origin, of: compiled),
                line: origin?.line
            )
        case .special(let number), .delegation(let number):
            return Explanation.ChosenRoute(kind: "private", zone: apex(of: snapshot.zone(number)))
        case .rule(let index):
            let rule = world.rules[index]
            return Explanation.ChosenRoute(
                kind: "forward",
                zone: rule.zone,
                upstreams: rule.upstreams
            )
        case .refuse(let index):
            return Explanation.ChosenRoute(kind: "refused", zone: world.zones[index].apex)
        case .nonexistent(let number):
            return Explanation.ChosenRoute(
                kind: "refused",
                zone: apex(of: snapshot.zone(number))
            )
        }
    }

    private func sentence(
        about name: DomainName,
        _ chosen: Explanation.ChosenRoute,
        _ route: Route?
    ) -> String {
        let zone = chosen.zone.map(String.init(describing:)) ?? ""
        switch route?.kind {
        case nil: return "\(name) matches no zone and no rule"
        case .zone, .delegation: return "\(name) is answered from the private zone \(zone)"
        case .special(let number):
            return
                "\(zone) is a special-use name (\(document(of: snapshot.zone(number)))): no rule or "
                + "zone except the root's covers \(name), so the server answers it itself"
        case .rule:
            let servers = chosen.upstreams.map(\.shortDescription)
            return "\(name) is forwarded by the rule for \(zone) to "
                + servers.joined(separator: ", ")
        case .refuse:
            return "\(name) is refused: this client does not see \(zone) (outside: refuse)"
        case .nonexistent:
            return "\(name) is NXDOMAIN: this client does not see \(zone) "
                + "(outside: nxdomain)"
        }
    }

    private func sentence(
        about name: DomainName,
        _ zone: CompiledZone,
        _ match: ZoneMatch
    ) -> String {
        switch match {
        case .node where zone.fallsThrough != .off && match.isEmpty:
            return "\(name) has no records in the zone; such names fall through"
        case .node(let node):
            let own = snapshot.name(of: node)
            if own == name { return "\(name) exists" }
            return "\(name) is a zonal name: for this account it is \(own)"
        case .wildcard(let node):
            return "\(name) is covered by the wildcard \(snapshot.name(of: node))"
        case .delegation(let node, _):
            return "\(name) is at or below the delegation \(snapshot.name(of: node))"
        case .dname(let node, _):
            return "\(name) is below the DNAME \(snapshot.name(of: node))"
        case .missing:
            return zone.fallsThrough != .off
                ? "\(name) is not in the zone; missing names fall through"
                : "\(name) does not exist in the zone"
        }
    }

    // MARK: Where zones come from

    func apex(of zone: CompiledZone) -> DomainName {
        switch zone.source {
        case .world(let index): world.zones[index].apex
        case .special(let index): SpecialName.all[index].apex
        }
    }

    private func document(of zone: CompiledZone) -> String {
        guard case .special(let index) = zone.source else { return "" }
        return SpecialName.all[index].document
    }

    func file(_ origin: RecordOrigin?, of zone: CompiledZone) -> String? {
        guard let origin, case .world(let index) = zone.source else { return nil }
        let files = world.zones[index].contents.files
        return origin.file < files.count ? files[origin.file] : nil
    }
}
