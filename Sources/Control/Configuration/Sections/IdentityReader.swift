import DNSWire
import Snapshot

extension ServerIdentity {
    init(reading node: ConfigurationNode, _ journal: ConfigurationJournal) {
        self.init()
        let keys = ["name", "version"]
        guard let entries = MappingReader(node, "identity", keys: keys, journal) else { return }
        name = entries.value("name", ValueForm<String>.identity)?.value
        version = entries.value("version", ValueForm<String>.identity)?.value
    }
}

extension CookieSecrets {
    /// Nil, and an error, unless there are one or two secrets.
    init?(reading node: ConfigurationNode, _ journal: ConfigurationJournal) {
        guard let entries = MappingReader(node, "cookies", keys: ["secrets"], journal) else {
            return nil
        }
        let count = entries.items("secrets").count
        guard (1...2).contains(count) else {
            journal.error(
                at: entries["secrets"]?.place ?? node.place,
                "`cookies` has \(count) secrets; write the one in force and, for an hour after a change, the one before"
            )
            return nil
        }
        let secrets = entries.values("secrets", .cookieSecret).map(\.value)
        guard let current = secrets.first else { return nil }
        self.init(current: current, previous: secrets.dropFirst().first)
    }
}

extension ValueForm<String> {
    /// What a server tells of itself.
    fileprivate static let identity = ValueForm("a text of up to 64 characters") {
        (text) throws(ValueFault) in
        guard (1...ServerIdentity.longest).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else {
            throw ValueFault(
                "`\(text.shown)` cannot be told; write 1 to \(ServerIdentity.longest) ASCII characters"
            )
        }
        return text
    }
}

extension ValueForm<CookieSecret> {
    /// A key, which no message repeats.
    fileprivate static let cookieSecret = ValueForm(
        "a secret of 32 hexadecimal digits",
        isOfSecrets: true
    ) { (text) throws(ValueFault) in
        guard let secret = CookieSecret(hexadecimal: text) else {
            throw ValueFault(
                "this is no secret; write 32 hexadecimal digits, as `openssl rand -hex 16` prints"
            )
        }
        return secret
    }
}
