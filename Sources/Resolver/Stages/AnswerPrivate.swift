import DNSWire
import Snapshot

/// Stage: answers one name from a private zone, by the algorithm of RFC 1034 §4.3.2.
extension Pipeline {
    mutating func answerPrivate(
        zone: CompiledZone,
        in snapshot: borrowing CompiledSnapshot,
        into reply: inout ReplyWriter
    ) -> Step {
        var match = snapshot.find(
            name,
            in: zone,
            account: request.client.account,
            scratch: &scratch
        )
        // The zone or rule at the name makes it exist, so no wildcard applies (RFC 4592 §2.2.1).
        if request.type == .ds, match.isMadeUp,
            snapshot.hasRoute(at: name, view: request.client.view)
        {
            match = .missing
        }
        trace?.record(.matched(name.name, zone, match))
        switch zone.fallsThrough {
        case .off: break
        case .names, .types:
            guard !fallsThrough(match, zone: zone, in: snapshot) else {
                return .passOn
            }
        }
        claimAuthority()
        switch match {
        case .node(let node), .wildcard(let node):
            return answer(
                from: node,
                zone: zone,
                in: snapshot,
                into: &reply
            )
        case .delegation(let node, let suffix):
            if suffix == 0, request.type == .ds {
                return answer(
                    from: node,
                    zone: zone,
                    in: snapshot,
                    into: &reply
                )
            }
            guard !request.isRecursive else {
                return delegate(to: node, suffix: suffix, zone: zone, in: snapshot)
            }
            return refer(to: node, suffix: suffix, zone: zone, in: snapshot, into: &reply)
        case .dname(let node, let suffix):
            return substitute(node, suffix: suffix, zone: zone, in: snapshot, into: &reply)
        case .missing: return deny(by: zone, in: snapshot, into: &reply)
        }
    }

    /// Answers NXDOMAIN to a client that does not see the zone (`outside: nxdomain`).
    mutating func answerNonexistent(
        zone: CompiledZone,
        in snapshot: borrowing CompiledSnapshot,
        into reply: inout ReplyWriter
    ) -> Step {
        claimAuthority()
        return deny(by: zone, in: snapshot, into: &reply)
    }

    /// Answers NXDOMAIN, or NODATA if the name exists elsewhere.
    ///
    /// It exists if another zone or rule of the client is below it: NXDOMAIN would deny that, too
    /// (RFC 8020 §2). It also exists if a zone that fell through has it.
    mutating func deny(
        by zone: CompiledZone,
        in snapshot: borrowing CompiledSnapshot,
        into reply: inout ReplyWriter
    ) -> Step {
        if let holder = response.holder.zone {
            return writeNegative(zone: snapshot.zone(holder), in: snapshot, into: &reply)
        }
        if snapshot.hasRoute(below: name, type: request.type, view: request.client.view) {
            trace?.record(.existsElsewhere(name.name))
        } else {
            response.rcode = .nonexistentDomain
        }
        return writeNegative(zone: zone, in: snapshot, into: &reply)
    }

    /// Returns true if the next longest match answers instead of the zone (`fallthrough`).
    @inline(never)
    private mutating func fallsThrough(
        _ match: ZoneMatch,
        zone: CompiledZone,
        in snapshot: borrowing CompiledSnapshot
    ) -> Bool {
        if match.isEmpty {
            if match.node != nil { note(Holder(zone, hasRecords: false)) }
            return true
        }
        guard zone.fallsThrough == .types, lacks(request.type, match, zone: zone, in: snapshot),
            request.isRecursive,
            snapshot.route(name, view: request.client.view, atMost: zone.labelCount - 1) != nil
        else { return false }
        note(Holder(zone, hasRecords: true))
        trace?.record(.typePassedOn(name.name, request.type))
        return true
    }

    /// Keeps only the first zone that fell through.
    private mutating func note(_ holder: Holder) {
        if response.holder.zone == nil { response.holder = holder }
    }

    /// Returns true if the zone has the name, but neither this type nor an alias.
    ///
    /// SOA and NS of the apex never fall through: with another zone's, the apex would belong to
    /// that zone.
    private func lacks(
        _ type: RecordType,
        _ match: ZoneMatch,
        zone: CompiledZone,
        in snapshot: borrowing CompiledSnapshot
    ) -> Bool {
        let node: Node
        switch match {
        case .node(let found), .wildcard(let found): node = found
        case .missing, .delegation, .dname: return false
        }
        let isApex = name.labelCount == zone.labelCount
        guard type != .any, !(isApex && (type == .soa || type == .ns)) else { return false }
        return snapshot.rrset(of: node, type: type) == nil
            && snapshot.rrset(of: node, type: .cname) == nil
    }

    /// Sets AA, which is about the first name of an answer.
    mutating func claimAuthority() {
        if response.aliasCount == 0, response.answerCount == 0 { response.isAuthoritative = true }
    }

    /// Answers a name that exists, itself or through a wildcard.
    private mutating func answer(
        from node: Node,
        zone: CompiledZone,
        in snapshot: borrowing CompiledSnapshot,
        into reply: inout ReplyWriter
    ) -> Step {
        let wanted =
            request.type == .any
            ? snapshot.rrset(of: node, at: 0) : snapshot.rrset(of: node, type: request.type)
        if let rrset = wanted {
            let selection = snapshot.select(
                from: rrset,
                affinity: zone.affinity,
                client: request.client.az
            )
            if selection.health == .failedOpen { failedOpenCount &+= 1 }
            trace?.record(.answered(name.name, zone, rrset, selection))
            write(rrset, selection, owner: 0, in: snapshot, into: &reply)
            return .done
        }
        guard let alias = snapshot.rrset(of: node, type: .cname) else {
            return writeNegative(zone: zone, in: snapshot, into: &reply)
        }
        trace?.record(.answered(name.name, zone, alias, .all(of: alias)))
        return follow(alias, in: snapshot, into: &reply)
    }

    /// Writes a CNAME and makes its target the current name.
    private mutating func follow(
        _ alias: RRset,
        in snapshot: borrowing CompiledSnapshot,
        into reply: inout ReplyWriter
    ) -> Step {
        write(alias, .all(of: alias), owner: 0, in: snapshot, into: &reply)
        return followWritten(targetLength: readTarget(of: alias, in: snapshot), in: &reply)
    }

    /// Makes the name at the end of the last record's rdata the current name.
    private mutating func followWritten(targetLength: Int, in reply: inout ReplyWriter) -> Step {
        guard !reply.isFull, targetLength > 0 else { return .done }
        response.nameOffset = reply.count - targetLength
        name.copy(scratch)
        return .follow
    }

    /// Reads the target of a CNAME or DNAME into `scratch`; returns its length in octets, 0 if
    /// there is none.
    private mutating func readTarget(
        of alias: RRset,
        in snapshot: borrowing CompiledSnapshot
    ) -> Int {
        var found = false
        snapshot.forEachRecord(of: alias, .all(of: alias), rotation: .none) {
            found = scratch.read($0, at: 2)
            return false
        }
        return found ? scratch.count : 0
    }

    /// Writes a DNAME and the CNAME that it makes of the current name (RFC 6672 §3.1).
    private mutating func substitute(
        _ node: Node,
        suffix: Int,
        zone: CompiledZone,
        in snapshot: borrowing CompiledSnapshot,
        into reply: inout ReplyWriter
    ) -> Step {
        guard let dname = snapshot.rrset(of: node, type: .dname),
            readTarget(of: dname, in: snapshot) > 0
        else { return writeNegative(zone: zone, in: snapshot, into: &reply) }
        trace?.record(.answered(ancestor(suffix), zone, dname, .all(of: dname)))
        write(dname, .all(of: dname), owner: suffix, in: snapshot, into: &reply)
        guard target.assemble(labels: suffix, of: name, before: 0, of: scratch) else {
            response.rcode = .nameTooLong
            return .done
        }
        scratch.copy(target)
        trace?.record(.substituted(name.name, target: target.name, ttl: dname.ttl))
        let start = reply.count
        writeOwner(suffix: 0, into: &reply)
        reply.write16(RecordType.cname.rawValue)
        reply.write16(ApplyPolicy.internet)
        reply.write32(dname.ttl)
        reply.write16(UInt16(truncatingIfNeeded: scratch.count))
        scratch.withOctets { reply.write($0) }
        if endRecord(from: start, in: &reply) { response.answerCount &+= 1 }
        return followWritten(targetLength: scratch.count, in: &reply)
    }

    /// The current name without its first `count` labels.
    private func ancestor(_ count: Int) -> DomainName {
        (0..<count).reduce(name.name) { name, _ in name.parent ?? name }
    }

    /// Refers a query without RD to the child's servers, whose NS records go in the authority
    /// section.
    private mutating func refer(
        to node: Node,
        suffix: Int,
        zone: CompiledZone,
        in snapshot: borrowing CompiledSnapshot,
        into reply: inout ReplyWriter
    ) -> Step {
        guard let servers = snapshot.rrset(of: node, type: .ns) else { return .done }
        if response.answerCount == 0 { response.isAuthoritative = false }
        let answers = response.answerCount
        write(servers, .all(of: servers), owner: suffix, in: snapshot, into: &reply)
        response.authorityCount = response.answerCount &- answers
        response.answerCount = answers
        return .done
    }

    /// Writes NXDOMAIN or NODATA: the SOA with the negative TTL (RFC 2308 §3).
    mutating func writeNegative(
        zone: CompiledZone,
        in snapshot: borrowing CompiledSnapshot,
        into reply: inout ReplyWriter
    ) -> Step {
        guard zone.soa.recordCount > 0 else { return .done }
        let apex = name.labelCount - zone.labelCount
        let ttl = zone.negativeTTL
        snapshot.forEachRecord(of: zone.soa, .all(of: zone.soa), rotation: .none) { record in
            let start = reply.count
            writeOwner(suffix: apex, into: &reply)
            reply.write16(RecordType.soa.rawValue)
            reply.write16(ApplyPolicy.internet)
            reply.write32(ttl)
            reply.write(record)
            if endRecord(from: start, in: &reply) { response.authorityCount = 1 }
            return false
        }
        return .done
    }

    /// Returns true if the record that was begun at `start` fits; otherwise it is removed.
    func endRecord(from start: Int, in reply: inout ReplyWriter) -> Bool {
        if reply.isFull { reply.close(at: start) }
        return !reply.isFull
    }

    /// Appends the selected records, whose owner is a suffix of the current name.
    private mutating func write(
        _ rrset: RRset,
        _ selection: Selection,
        owner suffix: Int,
        in snapshot: borrowing CompiledSnapshot,
        into reply: inout ReplyWriter
    ) {
        let rotation = rrset.recordCount > 1 ? rotation(of: rrset, selection, in: snapshot) : .none
        guard !response.blocksPrivate || !rrset.type.hasAddresses else {
            return writePublic(
                rrset,
                selection,
                rotation: rotation,
                owner: suffix,
                in: snapshot,
                into: &reply
            )
        }
        guard let pointer = pointer(toSuffix: suffix) else {
            return writeUncompressed(
                rrset,
                selection,
                rotation: rotation,
                owner: suffix,
                in: snapshot,
                into: &reply
            )
        }
        // Owner, type, class and TTL are the same for all records.
        let head =
            UInt64(pointer) << 48 | UInt64(rrset.type.rawValue) << 32
            | UInt64(ApplyPolicy.internet) << 16 | UInt64(rrset.ttl >> 16)
        let half = UInt16(truncatingIfNeeded: rrset.ttl)
        snapshot.forEachRun(of: rrset, selection, rotation: rotation) {
            records,
            count,
            first in
            let written = reply.write(head, half, beforeEachOf: count, in: records, from: first)
            response.answerCount &+= UInt16(truncatingIfNeeded: written)
            return !reply.isFull
        }
    }

    /// Chooses which address comes first, and which of those outside the client's AZ.
    private mutating func rotation(
        of rrset: RRset,
        _ selection: Selection,
        in snapshot: borrowing CompiledSnapshot
    ) -> Rotation {
        var rotation = Rotation()
        guard rrset.type.isAddress else { return rotation }
        let group = UInt64(truncatingIfNeeded: selection.first.lowerBound)
        let key = UInt64(truncatingIfNeeded: rrset.offset) ^ group << 32
        let count =
            selection.health == .respected
            ? snapshot.upCount(of: rrset, among: selection.first) : selection.first.count
        if count > 1 { rotation.first = turns.next(key, among: count) }
        let others = snapshot.otherCount(of: rrset, selection)
        if others > 1 { rotation.others = turns.next(key ^ 1 << 47, among: others) }
        return rotation
    }

    /// Writes the records where the owner is the root, or no pointer can point to it.
    private mutating func writeUncompressed(
        _ rrset: RRset,
        _ selection: Selection,
        rotation: Rotation,
        owner suffix: Int,
        in snapshot: borrowing CompiledSnapshot,
        into reply: inout ReplyWriter
    ) {
        snapshot.forEachRecord(of: rrset, selection, rotation: rotation) { record in
            write(record, of: rrset, owner: suffix, into: &reply)
            return !reply.isFull
        }
    }

    /// Writes the records without private addresses, after an alias of a rule with
    /// `private-answers: strip`.
    private mutating func writePublic(
        _ rrset: RRset,
        _ selection: Selection,
        rotation: Rotation,
        owner suffix: Int,
        in snapshot: borrowing CompiledSnapshot,
        into reply: inout ReplyWriter
    ) {
        snapshot.forEachRecord(of: rrset, selection, rotation: rotation) { record in
            guard !record.holdsPrivateAddress(2..<record.count, of: rrset.type) else {
                response.error = .blocked
                return true
            }
            write(record, of: rrset, owner: suffix, into: &reply)
            return !reply.isFull
        }
    }

    /// Writes one record with its owner, compressed if possible.
    private mutating func write(
        _ record: Span<UInt8>,
        of rrset: RRset,
        owner suffix: Int,
        into reply: inout ReplyWriter
    ) {
        let start = reply.count
        writeOwner(suffix: suffix, into: &reply)
        reply.write16(rrset.type.rawValue)
        reply.write16(ApplyPolicy.internet)
        reply.write32(rrset.ttl)
        reply.write(record)
        if endRecord(from: start, in: &reply) { response.answerCount &+= 1 }
    }

    /// A pointer to a suffix of the current name; nil for the root, or if no pointer can point
    /// there (RFC 1035 §4.1.4).
    private func pointer(toSuffix suffix: Int) -> UInt16? {
        let place = response.nameOffset + name.offset(ofSuffix: suffix)
        guard suffix < name.labelCount, place < 0x4000 else { return nil }
        return 0xC000 | UInt16(truncatingIfNeeded: place)
    }

    /// Writes a suffix of the current name, as a pointer if possible.
    func writeOwner(suffix: Int, into reply: inout ReplyWriter) {
        if let pointer = pointer(toSuffix: suffix) { return reply.write16(pointer) }
        let start = name.offset(ofSuffix: suffix)
        name.withOctets { reply.write($0.extracting(start...)) }
    }
}
