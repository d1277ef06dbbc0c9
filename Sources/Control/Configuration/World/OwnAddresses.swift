import DNSWire

/// The server's listening addresses, for detecting upstreams that are the server itself.
struct OwnAddresses {
    private var listeners: Set<AddressAndPort>
    /// Listeners on wildcard addresses, by their ports.
    private var wildcards: [UInt16: AddressAndPort] = [:]

    init(_ listeners: [AddressAndPort]) {
        self.listeners = Set(listeners)
        for listener in listeners where listener.isWildcard { wildcards[listener.port] = listener }
    }

    /// Returns the listener that would receive a query to `endpoint`; nil if it is another server.
    func listener(reachedBy endpoint: AddressAndPort) -> AddressAndPort? {
        if listeners.contains(endpoint) { return endpoint }
        return endpoint.address.isLoopback ? wildcards[endpoint.port] : nil
    }
}
