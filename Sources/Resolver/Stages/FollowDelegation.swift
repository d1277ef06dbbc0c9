import DNSWire
import Snapshot
import Upstream

/// Stage: answers a name at or below a delegation of a private zone with its servers' answers, new
/// or cached.
///
/// Without an answer it finds what to ask the servers, or which server's address to look up. The
/// delegation works like a forwarding rule of the zone: answers are cached, followed and withheld
/// in the same way. Its servers are asked with RD=0, for their own data only.
extension Pipeline {
    /// Makes a cut of a private zone the current delegation.
    ///
    /// The current name then has the zone's AZ IDs, since the servers know it by these.
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
        // A refresh does not look up servers.
        case .toBeFound, .none: isToBeRefreshed = false
        }
        return step
    }

    /// Answers SERVFAIL, since no server can be asked.
    private mutating func failToReach(into reply: inout ReplyWriter) -> Step {
        fail(
            .serverFailure,
            .noReachableAuthority,
            in: &reply
        )
        return .done
    }

    /// Finds where the servers' addresses come from, for this client.
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

    /// The route ID by which the answers of a rule, or of the delegation's servers, are cached.
    @inline(__always)
    func routeID(of rule: RuleInForce, in snapshot: borrowing CompiledSnapshot) -> UInt64 {
        switch rule {
        case .numbered(let number): snapshot.routeID(ofRule: number)
        case .delegation: delegation.routeID(seed: name.hashSeed)
        }
    }

    // MARK: Choosing servers

    private enum Choice {
        /// The miss names the servers to ask.
        case chosen
        /// The miss asks for a server's address.
        case toBeFound
        /// No server has an address.
        case none
    }

    /// Completes the miss with the servers' addresses, or makes it the lookup of one of them.
    ///
    /// AAAA is looked up only if no other address is known. Once the client has waited for 1.8 s,
    /// known addresses are used without further lookups.
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
                // The addresses are sorted, so that equal sets of servers are equal for the
                // forwarder.
                to: addresses.prefix(Delegation.addressLimit).sorted(),
                routeID: routeID
            )
        )
        return .chosen
    }

    /// The question for a server's address, which is the same for all clients.
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

    /// Returns the known addresses of the server in `scratch`; nil if they have to be looked up.
    private func serverAddresses(
        _ question: UpstreamQuestion,
        _ resolution: borrowing Resolution,
        _ mayBeStale: Bool,
        now: UInt32
    ) -> [IPAddress]? {
        if resolution.isAnswered, latest.question == question, scratch.equals(askedName) {
            // Sound: no answer is taken while this one is read.
            let payload = unsafe Span<UInt8>(_unsafeBytes: latest.payload)
            return CachedResponse(payload)?.ownAddresses(of: payload)
        }
        if let earlier = Self.answer(to: question, about: scratch, among: resolution.earlier) {
            return CachedResponse(earlier.payload.span)?.ownAddresses(of: earlier.payload.span)
        }
        var stale: [IPAddress]?
        for key in [CacheKey(question, scratch), CacheKey(absenceFor: question, scratch)] {
            // Sound: only this pipeline uses the memory.
            let entry = unsafe cache.read(key, scratch, into: payloadMemory)
            guard let entry else { continue }
            // Sound: the cache wrote `length` octets, and nothing overwrites them before they are
            // read.
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
    /// The addresses of the queried name in an answer, at most as many as are asked.
    ///
    /// There are none behind an alias, since a server's name must not be an alias (RFC 2181 §10.3).
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
