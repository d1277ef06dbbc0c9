import DNSWire
import Snapshot
import Upstream

/// Stage: answers a name at or below a delegation of a private zone by what the delegation's servers said, just now or
/// earlier; or says what to ask them, or where to look for them.
///
/// It is a forwarding rule that the zone makes: cached, chased and withheld as any rule's answers are, but its
/// servers are asked for what they have alone (RD=0).
extension Pipeline {
    /// Makes a cut of a private zone the one to be asked; the current name is then in the AZ IDs of the zone, as
    /// its servers know it.
    @inline(never)
    mutating func delegate(
        to node: Node,
        suffix: Int,
        zone: CompiledZone,
        in snapshot: borrowing CompiledSnapshot
    )
        -> Step
    {
        let isRenamed = !snapshot.isNamed(node, suffix: suffix, of: name)
        if isRenamed { name.copy(scratch) }
        if response.answerCount == 0 { response.isAuthoritative = false }
        delegation.begin(
            node,
            zone: Int(zone.number),
            suffix: suffix,
            of: name,
            isRenamed: isRenamed
        )
        return .delegate
    }

    @inline(never)
    mutating func answerFromDelegation(
        in snapshot: borrowing CompiledSnapshot,
        knowing resolution: borrowing Resolution,
        into reply: inout ReplyWriter,
        missing miss: inout Miss
    ) -> Step {
        guard let node = delegation.node, let servers = snapshot.rrset(of: node, type: .ns) else {
            return .done
        }
        findServers(servers, client: request.client, in: snapshot)
        trace?.record(
            .delegated(
                name.name,
                cut: snapshot.name(of: node),
                snapshot.zone(delegation.zone),
                servers
            )
        )
        guard !delegation.isDead else { return failToReach(into: &reply) }
        let wasToBeRefreshed = isToBeRefreshed
        let step = answerFromCache(
            rule: .delegation,
            in: snapshot,
            knowing: resolution,
            into: &reply,
            missing: &miss
        )
        guard step == .ask || isToBeRefreshed && !wasToBeRefreshed else { return step }
        let choice = chooseServers(
            servers,
            in: snapshot,
            knowing: resolution,
            now: request.now,
            missing: &miss
        )
        switch choice {
        case .chosen: break
        case .toBeFound where step == .ask: break
        case .none where step == .ask: return failToReach(into: &reply)
        // What is asked for the cache alone is not worth looking for anybody.
        case .toBeFound, .none: isToBeRefreshed = false
        }
        return step
    }

    /// SERVFAIL: there is nobody to be asked.
    private mutating func failToReach(into reply: inout ReplyWriter) -> Step {
        fail(
            .serverFailure,
            .noReachableAuthority,
            in: &reply
        )
        return .done
    }

    /// Finds out where the servers' addresses come from, for this client.
    private mutating func findServers(
        _ servers: RRset,
        client: ClientClass,
        in snapshot: borrowing CompiledSnapshot
    ) {
        let zone = snapshot.zone(delegation.zone)
        var number = 0
        snapshot.forEachRecord(of: servers, .all(of: servers), rotation: .none) { record in
            defer { number += 1 }
            guard scratch.read(record, at: 2) else { return true }
            let source = snapshot.source(
                ofNameServer: scratch,
                delegatedBy: zone,
                client: client,
                scratch: &target
            )
            switch source {
            case .node(let node):
                let seed = name.hashSeed
                snapshot.forEachServerAddress(of: node) { delegation.add($0, seed: seed) }
            case .rule(let rule):
                delegation.add(
                    Delegation.Lookup(record: number, rule: rule),
                    of: scratch,
                    routeID: snapshot.routeID(ofRule: rule)
                )
            case .alias, .nowhere: break
            }
            return number + 1 < CompiledSnapshot.nameServerLimit
        }
    }

    /// What a rule's answers, or those of the delegation's servers, are cached by.
    @inline(__always)
    func routeID(of rule: RuleInForce, in snapshot: borrowing CompiledSnapshot) -> UInt64 {
        switch rule {
        case .numbered(let number): snapshot.routeID(ofRule: number)
        case .delegation: delegation.routeID(seed: name.hashSeed)
        }
    }

    // MARK: Whom to ask

    private enum Choice {
        /// The miss has the servers.
        case chosen
        /// The miss is the address of a server.
        case toBeFound
        /// No server has an address.
        case none
    }

    /// Completes the miss with the servers' addresses; or makes it the question for one of them that has to be looked
    /// up before.
    ///
    /// IPv6 addresses are looked up only if there is no other. With addresses at hand, those that take long are not
    /// waited for.
    private mutating func chooseServers(
        _ servers: RRset,
        in snapshot: borrowing CompiledSnapshot,
        knowing resolution: borrowing Resolution,
        now: UInt32,
        missing miss: inout Miss
    ) -> Choice {
        var addresses = delegation.addresses
        let routeID = routeID(of: .delegation, in: snapshot)
        for (pass, type) in [RecordType.a, .aaaa].enumerated() where pass == 0 || addresses.isEmpty
        {
            for (index, lookup) in delegation.lookups.enumerated() {
                let server = ServerLookup(
                    delegation: routeID,
                    number: pass * Delegation.lookupLimit + index
                )
                let hasFailed = resolution.failedLookups.contains(server)
                let mayBeStale = hasFailed || resolution.acceptsStale
                let question = Self.question(type, of: lookup, in: snapshot)
                readServer(lookup.record, of: servers, in: snapshot)
                if let found = serverAddresses(question, resolution, mayBeStale, now: now) {
                    addresses += found.filter { !addresses.contains($0) }
                } else if !hasFailed, addresses.isEmpty || !resolution.acceptsStale {
                    miss.note(question, scratch, of: .numbered(lookup.rule), lookup: server)
                    return .toBeFound
                }
            }
        }
        guard !addresses.isEmpty, let node = delegation.node else { return .none }
        miss.delegate(
            to: CompiledRule(
                delegating: snapshot.name(of: node),
                // In one order, so that the forwarder takes the same servers for the same, however they came.
                to: addresses.prefix(Delegation.addressLimit).sorted(),
                routeID: routeID
            )
        )
        return .chosen
    }

    /// What is asked about a server, whoever wants to know.
    private static func question(
        _ type: RecordType,
        of lookup: Delegation.Lookup,
        in snapshot: borrowing CompiledSnapshot
    ) -> UpstreamQuestion {
        UpstreamQuestion(
            routeID: snapshot.routeID(ofRule: lookup.rule),
            type: type,
            dnssecOK: false,
            checkingDisabled: false
        )
    }

    /// Reads the name of a server into `scratch`.
    private mutating func readServer(
        _ number: Int,
        of servers: RRset,
        in snapshot: borrowing CompiledSnapshot
    ) {
        var left = number
        snapshot.forEachRecord(of: servers, .all(of: servers), rotation: .none) { record in
            defer { left -= 1 }
            if left == 0 { _ = scratch.read(record, at: 2) }
            return left > 0
        }
    }

    /// The addresses that are known of the server in `scratch`; nil if it has to be looked up.
    private func serverAddresses(
        _ question: UpstreamQuestion,
        _ resolution: borrowing Resolution,
        _ mayBeStale: Bool,
        now: UInt32
    ) -> [IPAddress]? {
        if resolution.isAnswered, latest.question == question, scratch.equals(askedName) {
            // Sound: nothing is taken while it is read.
            let payload = unsafe Span<UInt8>(_unsafeBytes: latest.payload)
            return CachedResponse(payload)?.ownAddresses(of: payload)
        }
        if let earlier = Self.answer(to: question, about: scratch, among: resolution.earlier) {
            return CachedResponse(earlier.payload.span)?.ownAddresses(of: earlier.payload.span)
        }
        var stale: [IPAddress]?
        for key in [CacheKey(question, scratch), CacheKey(absenceFor: question, scratch)] {
            // Sound: nobody else has the pipeline's memory.
            let entry = unsafe cache.read(key, scratch, into: payloadMemory)
            guard let entry else { continue }
            // Sound: the cache wrote `length` octets, and nothing writes there before they are read.
            let payload = unsafe Span<UInt8>(
                _unsafeBytes: UnsafeRawBufferPointer(rebasing: payloadMemory[..<entry.length])
            )
            let found = CachedResponse(payload)?.ownAddresses(of: payload)
            if now < entry.expiresAt { return found ?? [] }
            if now - entry.expiresAt < cache.limits.stale { stale = stale ?? found }
        }
        return mayBeStale ? stale : nil
    }
}

extension CachedResponse {
    /// The addresses that an answer has of the name that was asked for; none behind an alias, which no server's name
    /// may be (RFC 2181 §10.3); as many as are asked at most, however many its owner sends.
    fileprivate func ownAddresses(of payload: Span<UInt8>) -> [IPAddress] {
        guard aliasCount == 0 else { return [] }
        var found: [IPAddress] = []
        _ = hasRecord(payload) { octets, rdata, type in
            guard type.isAddress, let address = IPAddress(octets.extracting(rdata)),
                address.mayBeServer
            else { return false }
            found.append(address)
            return found.count == Delegation.addressLimit
        }
        return found
    }
}
