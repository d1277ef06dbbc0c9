import Snapshot

extension HealthCheck: ConfigurationEntry {
    static let section = ConfigurationSection({ _ in HealthCheck() }, keys) {
        health,
        entries,
        journal in
        guard health.timeout > health.interval else { return }
        journal.error(
            at: entries.place(of: \.timeout),
            "timeout is greater than interval, so checks would overlap; write at most \(health.interval)s"
        )
    }

    private static let keys: [ConfigurationKey<Self>] = [
        ConfigurationKey(
            "port",
            .one(.port),
            to: \.port,
            .means("The port that the addresses are connected to.", example: "port: 8443")
        ),
        ConfigurationKey(
            "https",
            .one(.httpPath),
            to: \.path,
            otherwise: "a TCP connection is enough",
            .means(
                "The path of a GET over TLS; status 2xx or 3xx passes. The GET names the zone as the host, and accepts any certificate: it shows that the service works, not who runs it.",
                example: "https: /ready"
            )
        ),
        ConfigurationKey(
            "interval",
            .one(.wait),
            to: \.interval,
            .means(
                "The time from one check of an address to the next, 1s to 1d.",
                example: "interval: 30s"
            )
        ),
        ConfigurationKey(
            "timeout",
            .one(.wait),
            to: \.timeout,
            .means("How long one check may take, `interval` at most.", example: "timeout: 5s")
        ),
        ConfigurationKey(
            "rise",
            .one(.count(1...10)),
            to: \.rise,
            .means("Checks in a row that must pass until an address is up.", example: "rise: 3")
        ),
        ConfigurationKey(
            "fall",
            .one(.count(1...10)),
            to: \.fall,
            .means("Checks in a row that must fail until an address is down.", example: "fall: 2")
        ),
    ]
}

extension ValueForm<UInt16> {
    fileprivate static let port = ValueForm(ValueForm<Int>.port.expected) {
        (text) throws(ValueFault) in
        UInt16(truncatingIfNeeded: try ValueForm<Int>.port.parse(text))
    }
}

extension ValueForm<Int> {
    fileprivate static let port = count(1...65_535)
}

extension ValueForm<UInt32> {
    /// A duration from a second to a day.
    fileprivate static let wait = duration(1...86_400, "1s to 1d")
}

extension ValueForm<String> {
    /// The path of a GET request (RFC 9112 §3.2.1).
    fileprivate static let httpPath = ValueForm("a path such as /health") {
        (text) throws(ValueFault) in
        guard text.hasPrefix("/"), text.utf8.count <= 1024,
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            throw ValueFault(
                "`\(text.shown)` is not a valid path; write / and up to 1023 more ASCII characters without spaces"
            )
        }
        return text
    }
}
