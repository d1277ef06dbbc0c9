import Snapshot

extension ClientLimits: ConfigurationEntry {
    static let section = ConfigurationSection({ _ in ClientLimits() }, keys) {
        limits,
        entries,
        journal in
        guard limits.connectionsPerClient > limits.connections else { return }
        guard entries.isRead(\.connectionsPerClient) else {
            limits.connectionsPerClient = limits.connections
            return
        }
        journal.error(
            at: entries.place(of: \.connectionsPerClient),
            "tcp-connections-per-client is greater than tcp-connections; write at most \(limits.connections), or raise tcp-connections"
        )
    }

    private static let keys: [ConfigurationKey<Self>] = [
        ConfigurationKey(
            "tcp-connections",
            .one(.count(1...1_000_000)),
            to: \.connections,
            .means(
                "Open TCP connections of all clients; never more than half of the files that the process may open.",
                example: "tcp-connections: 4096"
            )
        ),
        ConfigurationKey(
            "tcp-connections-per-client",
            .one(.count(1...1_000_000)),
            to: \.connectionsPerClient,
            .means(
                "Open TCP connections of one client (an IPv4 address, or an IPv6 /64), `tcp-connections` at most.",
                example: "tcp-connections-per-client: 512"
            )
        ),
        ConfigurationKey(
            "waiting-per-client",
            .one(.count(1...1_000_000)),
            to: \.waitingPerClient,
            .means(
                "Queries of one client that may wait for upstreams at a time.",
                example: "waiting-per-client: 20000"
            )
        ),
        ConfigurationKey(
            "idle",
            .one(.idleTime),
            to: \.idle,
            .means(
                "How long a TCP connection may go without a whole query, 1s to 1h. It becomes shorter when more than half of the connections are open.",
                example: "idle: 30s"
            )
        ),
    ]
}

extension ValueForm<UInt32> {
    /// The idle time of a connection; edns-tcp-keepalive can announce up to 6,553 s (RFC 7828
    /// §3.1).
    fileprivate static let idleTime = duration(1...3_600, "1s to 1h")
}
