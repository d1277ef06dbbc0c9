package import DNSWire

/// The world compiled for answering: immutable, shared by all threads, swapped whole.
package final class CompiledSnapshot: Sendable {
    /// Upstreams and zone of each forwarding rule, by rule index.
    package let rules: [CompiledRule]

    /// `world` is free of errors; `seed` keys the name hashes.
    package init(compiling world: World, seed: HashSeed) {
        rules = world.rules.map { CompiledRule(zone: $0.zone, upstreams: $0.upstreams, routeID: 0) }
    }
}

/// A forwarding rule as the forwarder needs it.
package struct CompiledRule: Sendable {
    package let zone: DomainName
    package let upstreams: [Upstream]
    /// Identity across reloads: equal for a rule of the same zone and the same upstreams.
    package let routeID: UInt64
}
