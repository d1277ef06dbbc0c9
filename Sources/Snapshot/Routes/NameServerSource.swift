public import DNSWire

/// The source of the addresses of a delegation's name server, for one client.
public enum NameServerSource: Sendable, BitwiseCopyable {
    /// A node of a private zone that the client sees; it may be glue.
    case node(Node)
    /// The index of the rule that resolves the name.
    case rule(Int)
    /// None: the name is an alias, which is not allowed for name servers (RFC 2181 §10.3).
    case alias
    /// None: no zone that the client sees has an address of it.
    case nowhere
}

extension CompiledSnapshot {
    /// The maximum number of name servers per delegation; further ones are not queried.
    public static let nameServerLimit = 16

    /// Returns the source of the addresses of a name server that `zone` delegates to.
    ///
    /// Addresses in `zone` come first, including glue below the cut; then the client's route for
    /// the name. `scratch` is overwritten.
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

    /// Looks in one zone; nil if the next longest match should answer instead (`fallthrough`).
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
        // Resolving it would need the servers of that delegation first, whose names may lead back
        // here.
        case .delegation: return .nowhere
        case .missing: return zone.fallsThrough == .off ? .nowhere : nil
        }
    }

    /// Returns the node of the name itself if the zone has an address for it, even below a
    /// delegation.
    private func glue(_ server: borrowing FoldedName, in zone: CompiledZone) -> Node? {
        guard let node = store.node(server, suffix: 0, zone: zone.number), hasAddress(node) else {
            return nil
        }
        return node
    }

    private func hasAddress(_ node: Node) -> Bool {
        store.rrset(of: node, type: .a) != nil || store.rrset(of: node, type: .aaaa) != nil
    }

    /// Calls `body` with the valid addresses of a name, IPv4 first.
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

    /// Returns true if a node's own name is this suffix of `name`, so that no label was translated.
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
    /// False for addresses that cannot be a single server: unspecified, multicast and broadcast
    /// addresses, and link-local ones without an interface.
    public var mayBeServer: Bool {
        if isV4 { return v4 >> 24 != 0 && v4 >> 28 != 0xE && v4 != .max }
        return bits != 0 && bits >> 120 != 0xFF && !isLinkLocalV6
    }
}
