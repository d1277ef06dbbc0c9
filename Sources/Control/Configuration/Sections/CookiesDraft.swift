import DNSWire

/// The secrets of DNS cookies as written in a file.
struct CookiesDraft {
    /// Nil if the secrets have an error.
    var secrets: CookieSecrets?
}

extension CookiesDraft: ConfigurationEntry {
    static let section = ConfigurationSection(
        { _ in CookiesDraft() },
        [
            ConfigurationKey(
                checked: "secrets",
                .secrets,
                to: \.secrets,
                .means(
                    "One or two keys of 32 hexadecimal digits, as `openssl rand -hex 16` prints them. New cookies are made with the first; those of the second are still accepted. To change the secret, put the new one in front of the old, and remove the old one an hour later. Whoever can read the file can forge cookies, so let only the server read it.",
                    example: "secrets: [00112233445566778899aabbccddeeff]"
                )
            )
        ]
    ) { _, entries, journal in
        if entries[\.secrets] == nil { refuse(0, at: entries.place, journal) }
    }

    fileprivate static func refuse(
        _ count: Int,
        at place: SourcePlace,
        _ journal: ConfigurationJournal
    ) {
        journal.error(
            at: place,
            "`cookies` has \(count) secrets; write the current one and, for an hour after a change, the previous one"
        )
    }
}

extension NodeForm<CookieSecrets?> {
    /// The current secret and the previous one.
    fileprivate static var secrets: Self {
        let form = ValueForm<CookieSecret>.cookieSecret
        return Self("a list of one or two, each item \(form.expected)") { node, _, journal in
            let items = node.items(journal)
            guard (1...2).contains(items.count) else {
                CookiesDraft.refuse(items.count, at: node.place, journal)
                return nil
            }
            let secrets = items.compactMap { $0.value(form, journal) }
            return secrets.first.map {
                CookieSecrets(current: $0, previous: secrets.dropFirst().first)
            }
        }
    }
}

extension ValueForm<CookieSecret> {
    /// A secret; error messages never contain it.
    fileprivate static let cookieSecret = ValueForm(
        "a secret of 32 hexadecimal digits",
        isOfSecrets: true
    ) { (text) throws(ValueFault) in
        guard let secret = CookieSecret(hexadecimal: text) else {
            throw ValueFault(
                "this is not a valid secret; write 32 hexadecimal digits, as `openssl rand -hex 16` prints"
            )
        }
        return secret
    }
}
