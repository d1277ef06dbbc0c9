import DNSWire

/// Where the server listens, to find upstreams that are the server itself.
struct OwnAddresses {
    private var listeners: Set<EndpointText> = []
    /// Listeners on every address, by their ports.
    private var wildcards: [UInt16: EndpointText] = [:]

    init(_ listeners: [Configuration.Listener]) {
        for listener in listeners {
            let endpoint = EndpointText(
                address: listener.address,
                port: listener.port,
                scope: listener.scope
            )
            self.listeners.insert(endpoint)
            if listener.address.isUnspecified { wildcards[listener.port] = endpoint }
        }
    }

    /// The listener that a question to `endpoint` would reach, so that it would come back to us.
    func listener(reachedBy endpoint: EndpointText) -> EndpointText? {
        if listeners.contains(endpoint) { return endpoint }
        return endpoint.address.isLoopback ? wildcards[endpoint.port] : nil
    }
}
