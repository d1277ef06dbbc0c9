public import DNSWire

/// Where the addresses of a delegation's name server come from, for one client.
public enum NameServerSource: Sendable, BitwiseCopyable {
    /// A name of a private zone: glue, or any other name that the client sees.
    case node(Node)
    /// The rule that the name is looked up by, by its index.
    case rule(Int)
    /// Nowhere: the name is an alias, which names of servers must not be (RFC 2181 §10.3).
    case alias
    /// Nowhere: what the client sees has no address of it.
    case nowhere
}

extension CompiledSnapshot {
    /// Name servers of one delegation that are looked at; others are not asked.
    public static let nameServerLimit = 16

    /// Where a client finds the addresses of a name server that `zone` delegates to.
    ///
    /// Addresses that `zone` has of it come first, also below the cut, where they are glue; then whoever answers the
    /// client about the name. `scratch` is overwritten.
    public func source(
        ofNameServer server: borrowing FoldedName,
        delegatedBy zone: CompiledZone,
        client: ClientClass,
        scratch: inout FoldedName
    ) -> NameServerSource {
        if let glue = glue(server, in: zone) { return .node(glue) }
        var limit = Route.anyLength
        while let route = route(server, view: client.view, atMost: limit) {
            switch route.kind {
            case .rule(let rule): return .rule(rule)
            case .special, .refuse, .nonexistent, .delegation: return .nowhere
            case .zone(let number):
                let found = source(server, in: self.zone(number), client, &scratch)
                if let found { return found }
            }
            limit = route.labelCount - 1
        }
        return .nowhere
    }

    /// What one zone says of it; nil if the next longest match is to answer instead (`fallthrough`).
    private func source(
        _ server: borrowing FoldedName,
        in zone: CompiledZone,
        _ client: ClientClass,
        _ scratch: inout FoldedName
    ) -> NameServerSource? {
        if let glue = glue(server, in: zone) { return .node(glue) }
        let match = find(server, in: zone, account: client.account, scratch: &scratch)
        switch match {
        case .node(let node), .wildcard(let node):
            if hasAddress(node) { return .node(node) }
            if store.rrset(of: node, type: .cname) != nil { return .alias }
            return zone.fallsThrough == .types || zone.fallsThrough == .names && match.isEmpty
                ? nil : .nowhere
        case .dname: return .alias
        // Its servers would have to be asked first, whose names may lead back here.
        case .delegation: return .nowhere
        case .missing: return zone.fallsThrough == .off ? .nowhere : nil
        }
    }

    /// The name itself, if the zone has an address of it, whatever is above.
    private func glue(_ server: borrowing FoldedName, in zone: CompiledZone) -> Node? {
        guard let node = store.node(server, suffix: 0, zone: zone.number), hasAddress(node) else {
            return nil
        }
        return node
    }

    private func hasAddress(_ node: Node) -> Bool {
        store.rrset(of: node, type: .a) != nil || store.rrset(of: node, type: .aaaa) != nil
    }

    /// Hands the addresses of a name to `body`, IPv4 first, but for those that no server can have.
    public func forEachServerAddress(of node: Node, _ body: (IPAddress) -> Void) {
        for type in [RecordType.a, .aaaa] {
            guard let rrset = store.rrset(of: node, type: type) else { continue }
            forEachRecord(of: rrset) { record in
                if let address = IPAddress(record.extracting(2...)), address.mayBeServer {
                    body(address)
                }
                return true
            }
        }
    }

    /// True if a node's own name is this suffix of `name`, so that no label of it was translated.
    public func isNamed(_ node: Node, suffix: Int, of name: borrowing FoldedName) -> Bool {
        store.arena.holds(
            name,
            fromSuffix: suffix,
            at: node.offset + Node.headerSize,
            count: Node.nameLength(at: node.offset, in: store.arena)
        )
    }
}

extension IPAddress {
    /// False of what a datagram to one server can't be sent to: unspecified, multicast and broadcast addresses, and
    /// link-local ones without an interface.
    public var mayBeServer: Bool {
        if isV4 { return v4 >> 24 != 0 && v4 >> 28 != 0xE && v4 != .max }
        return bits != 0 && bits >> 120 != 0xFF && !isLinkLocalV6
    }
}
