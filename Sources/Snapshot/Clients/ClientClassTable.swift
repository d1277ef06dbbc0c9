import DNSWire

/// Decides from sender and listener whether a query is accepted, and the class of its client.
struct ClientClassTable: Sendable, BitwiseCopyable {
    /// Class numbers by address alone.
    private let shared: AddressMap
    private let realms: FrozenArray<Realm>
    private let listeners: FrozenArray<Listener>
    /// For each listener that accepts PROXY headers: 1 for proxies, else 0.
    private let proxies: FrozenArray<AddressMap>
    private let endpoints: EndpointTable
    private let classes: FrozenArray<ClientClass>
    /// The key of each VPC in a `Standing`.
    private let vpcKeys: FrozenArray<UInt64>

    /// The addresses of one VPC, for clients that a listener or an endpoint assigns to it.
    struct Realm: BitwiseCopyable {
        /// Class numbers; `stranger` for an address outside the VPC.
        var map: AddressMap
        /// The class number of such an address if the VPC is certain anyway.
        var elsewhere: UInt32

        static let stranger = UInt32.max
    }

    /// How a listener affects the classes of its clients.
    struct Listener: BitwiseCopyable {
        /// The realm of its VPC; -1 for none.
        var realm = -1
        /// Its map of proxies; -1 if it accepts no header.
        var proxies = -1
        /// True if it accepts nothing.
        var isClosed = false

        /// True if every peer is itself the client.
        var isPlain: Bool { proxies < 0 && !isClosed }
    }

    init(
        shared: AddressMap,
        realms: [Realm],
        listeners: [Listener],
        proxies: [AddressMap],
        realmOfEndpoint: [EndpointID: Int],
        classes: [ClientClass],
        vpcKeys: [UInt64]
    ) {
        self.shared = shared
        self.realms = FrozenArray(realms)
        self.listeners = FrozenArray(listeners)
        self.proxies = FrozenArray(proxies)
        endpoints = EndpointTable(realmOfEndpoint)
        self.classes = FrozenArray(classes)
        self.vpcKeys = FrozenArray(vpcKeys)
    }

    func deallocate() {
        shared.deallocate()
        for index in 0..<realms.count { realms[index].map.deallocate() }
        realms.deallocate()
        listeners.deallocate()
        for index in 0..<proxies.count { proxies[index].deallocate() }
        proxies.deallocate()
        endpoints.deallocate()
        classes.deallocate()
        vpcKeys.deallocate()
    }

    func takesHeaders(listener number: Int) -> Bool {
        number >= 0 && number < listeners.count && listeners[number].proxies >= 0
    }

    /// Decides whether `peer`, with or without a PROXY header, is accepted at a listener, and its
    /// class.
    @inline(__always)
    func hear(_ peer: IPAddress, listener number: Int, header: ProxyHeader?) -> Hearing {
        guard number >= 0, number < listeners.count else { return .ignored }
        let listener = listeners[number]
        if listener.isPlain {
            return header == nil ? .heard(classify(peer, at: listener)) : .ignored
        }
        return hear(peer, at: listener, header: header)
    }

    /// The slow path, for listeners that are closed or for proxies.
    @inline(never)
    private func hear(
        _ peer: IPAddress,
        at listener: Listener,
        header: ProxyHeader?
    ) -> Hearing {
        if listener.isClosed { return .ignored }
        guard proxies[listener.proxies].value(for: peer) == 1 else { return .ignored }
        guard let header else { return .awaitsHeader }
        return .heard(classify(header, of: peer, at: listener))
    }

    /// Classifies a proxy that sends on its own behalf or for an unknown client; it is at most
    /// outside.
    private func classify(
        _ header: ProxyHeader,
        of proxy: IPAddress,
        at listener: Listener
    ) -> ClientClass {
        guard let source = header.source else {
            return classify(proxy, at: listener).scope == .refused ? .refused : .outside
        }
        guard let endpoint = header.endpoint else { return classify(source, at: listener) }
        return classify(source, endpoint: endpoint)
    }

    @inline(__always)
    private func classify(_ address: IPAddress, at listener: Listener) -> ClientClass {
        if listener.realm >= 0 {
            let number = realms[listener.realm].map.value(for: address)
            if number != Realm.stranger { return classes[Int(number)] }
        }
        return classify(address)
    }

    private func classify(_ address: IPAddress) -> ClientClass {
        classes[Int(shared.value(for: address))]
    }

    /// Classifies a client address at a listener; nil for a listener without a VPC.
    func classify(_ address: IPAddress, listener number: Int?) -> ClientClass {
        guard let number, number >= 0, number < listeners.count else { return classify(address) }
        return classify(address, at: listeners[number])
    }

    /// Classifies a client of a VPC endpoint; refused if no VPC lists the endpoint.
    func classify(_ address: IPAddress, endpoint: EndpointID) -> ClientClass {
        guard let number = endpoints[endpoint] else { return .refused }
        let found = realms[number].map.value(for: address)
        return classes[Int(found == Realm.stranger ? realms[number].elsewhere : found)]
    }

    /// Returns true if a VPC lists the endpoint.
    func knows(_ endpoint: EndpointID) -> Bool { endpoints[endpoint] != nil }

    func standing(of clientClass: ClientClass) -> Standing {
        Standing(clientClass.scope, vpc: clientClass.vpc.map { vpcKeys[$0] } ?? 0)
    }
}
