import DNSWire

/// Decides from who asks where whether a sender is heard, and as what.
struct ClientClassTable: Sendable, BitwiseCopyable {
    /// Class numbers by address alone.
    private let shared: AddressMap
    private let realms: FrozenArray<Realm>
    private let listeners: FrozenArray<Listener>
    /// For each listener that takes PROXY headers: 1 for the proxies, else 0.
    private let proxies: FrozenArray<AddressMap>
    private let endpoints: EndpointTable
    private let classes: FrozenArray<ClientClass>
    /// What a `Standing` calls each VPC.
    private let vpcKeys: FrozenArray<UInt64>

    /// The addresses that something beyond them puts into one VPC: a listener, or an endpoint.
    struct Realm: BitwiseCopyable {
        /// Class numbers; `stranger` for an address that the VPC does not know.
        var map: AddressMap
        /// The class number of such an address where the VPC is certain all the same.
        var elsewhere: UInt32

        static let stranger = UInt32.max
    }

    /// What a listener adds to its clients' addresses.
    struct Listener: BitwiseCopyable {
        /// The realm of its VPC; -1 for none.
        var realm = -1
        /// Its map of proxies; -1 where no header is taken.
        var proxies = -1
        /// True if nobody is heard.
        var isClosed = false

        /// True if every peer speaks for itself.
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

    /// Whether `peer`, with or without a PROXY header in front, is heard at a listener, and as what.
    @inline(__always)
    func hear(_ peer: IPAddress, listener number: Int, header: ProxyHeader?) -> Hearing {
        guard number >= 0, number < listeners.count else { return .ignored }
        let listener = listeners[number]
        if listener.isPlain {
            return header == nil ? .heard(classify(peer, at: listener)) : .ignored
        }
        return hear(peer, at: listener, header: header)
    }

    /// The same at a listener that is closed or for proxies.
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

    /// A proxy that speaks for itself, or for a client that it cannot name, is outside at most.
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

    /// What a client with this address is at a listener; nil for one that has no VPC.
    func classify(_ address: IPAddress, listener number: Int?) -> ClientClass {
        guard let number, number >= 0, number < listeners.count else { return classify(address) }
        return classify(address, at: listeners[number])
    }

    /// What a client is that came through a VPC endpoint: refused if no VPC lists it.
    func classify(_ address: IPAddress, endpoint: EndpointID) -> ClientClass {
        guard let number = endpoints[endpoint] else { return .refused }
        let found = realms[number].map.value(for: address)
        return classes[Int(found == Realm.stranger ? realms[number].elsewhere : found)]
    }

    /// True if a VPC lists the endpoint.
    func knows(_ endpoint: EndpointID) -> Bool { endpoints[endpoint] != nil }

    func standing(of clientClass: ClientClass) -> Standing {
        Standing(clientClass.scope, vpc: clientClass.vpc.map { vpcKeys[$0] } ?? 0)
    }
}
