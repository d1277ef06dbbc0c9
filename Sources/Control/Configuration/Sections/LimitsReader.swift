extension Configuration.Limits {
    init(reading node: ConfigurationNode, _ journal: ConfigurationJournal) {
        self.init()
        let keys = ["tcp-connections", "tcp-connections-per-client", "waiting-per-client", "idle"]
        guard let entries = MappingReader(node, "limits", keys: keys, journal) else { return }
        if let count = entries.value("tcp-connections", .count(1...1_000_000)) {
            connections = count.value
        }
        let perClient = entries.value("tcp-connections-per-client", .count(1...1_000_000))
        connectionsPerClient = perClient?.value ?? min(connectionsPerClient, connections)
        if let count = entries.value("waiting-per-client", .count(1...1_000_000)) {
            waitingPerClient = count.value
        }
        if let time = entries.value("idle", .idleTime) { idle = time.value }
        if let perClient, perClient.value > connections {
            journal.error(
                at: perClient.place,
                "tcp-connections-per-client is more than tcp-connections; write at most \(connections), or raise tcp-connections"
            )
        }
    }
}

extension ValueForm<UInt32> {
    /// How long a connection may be idle; edns-tcp-keepalive tells clients up to 6,553 s (RFC 7828 §3.1).
    fileprivate static let idleTime = ValueForm("a duration such as 10s") {
        (text) throws(ValueFault) in
        let seconds = try ValueForm<UInt32>.duration.parse(text)
        guard (1...3_600).contains(seconds) else {
            throw ValueFault("`\(text.shown)` is out of range; write 1s to 1h")
        }
        return seconds
    }
}
