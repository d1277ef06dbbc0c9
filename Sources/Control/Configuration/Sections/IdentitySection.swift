import Snapshot

extension ServerIdentity: ConfigurationEntry {
    static let section = ConfigurationSection(
        { _ in ServerIdentity() },
        [
            ConfigurationKey(
                "name",
                .one(.identity),
                to: \.name,
                otherwise: "not told: REFUSED",
                .means(
                    "The name of this server that clients that may ask are told: in TXT of class CH for `id.server` and `hostname.bind`, and as NSID.",
                    example: "name: az4-1"
                )
            ),
            ConfigurationKey(
                "version",
                .one(.identity),
                to: \.version,
                otherwise: "not told: REFUSED",
                .means(
                    "The version that clients that may ask are told: in TXT of class CH for `version.server` and `version.bind`.",
                    example: #"version: "2026.11""#
                )
            ),
        ]
    )
}

extension ValueForm<String> {
    /// A text that identifies the server.
    fileprivate static let identity = ValueForm(
        "a text of up to \(ServerIdentity.longest) characters"
    ) { (text) throws(ValueFault) in
        guard (1...ServerIdentity.longest).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else {
            throw ValueFault(
                "`\(text.shown)` is not a valid text; write 1 to \(ServerIdentity.longest) ASCII characters"
            )
        }
        return text
    }
}
