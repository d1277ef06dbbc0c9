import DNSWire

/// Where the server listens, to find upstreams that are the server itself.
struct OwnAddresses {
    private var listeners: Set<AddressAndPort>
    /// Listeners on every address, by their ports.
    private var wildcards: [UInt16: AddressAndPort] = [:]

    init(_ listeners: [AddressAndPort]) {
        self.listeners = Set(listeners)
        for listener in listeners where listener.isWildcard { wildcards[listener.port] = listener }
    }

    /// The listener that a question to `endpoint` would reach, so that it would come back to us.
    func listener(reachedBy endpoint: AddressAndPort) -> AddressAndPort? {
        if listeners.contains(endpoint) { return endpoint }
        return endpoint.address.isLoopback ? wildcards[endpoint.port] : nil
    }
}
