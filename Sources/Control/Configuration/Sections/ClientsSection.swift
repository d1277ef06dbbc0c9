import DNSWire
import Snapshot

extension ClientPolicy: ConfigurationEntry {
    static let section = ConfigurationSection(
        { _ in ClientPolicy() },
        [
            ConfigurationKey(
                "allow",
                .allowed,
                to: \.allow,
                .means(
                    "Ranges whose clients may ask, besides 127.0.0.1, ::1 and every VPC range.",
                    example: "allow: [192.0.2.0/24]"
                )
            ),
            ConfigurationKey(
                "otherwise",
                .one(.word()),
                to: \.otherwise,
                .means(
                    "What all other clients get: `refuse` sends REFUSED, `drop` sends nothing.",
                    example: "otherwise: drop"
                )
            ),
        ]
    )
}

extension NodeForm<[IPPrefix]> {
    /// Client ranges; warns of those that contain the whole Internet.
    fileprivate static var allowed: Self {
        let form = NodeForm.list(.prefix)
        return Self(form.type, initially: form.initially) { node, _, journal in
            node.values(.prefix, journal).map { range in
                if range.value.isWholeFamily {
                    journal.warning(
                        at: range.place,
                        "\(range.value) allows queries from the whole Internet, so the server can be abused for amplification attacks; list only your own ranges"
                    )
                }
                return range.value
            }
        }
    }
}
