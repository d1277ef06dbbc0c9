import DNSWire
import Snapshot

extension RateLimit: ConfigurationEntry {
    static let section = ConfigurationSection({ _ in RateLimit() }, keys)

    private static let keys: [ConfigurationKey<Self>] = [
        ConfigurationKey(
            "responses",
            .one(.rate),
            to: \.responses,
            .means(
                "Replies in a second to a network of clients that may ask: the /24 of an IPv4 address or the /56 of an IPv6 one, in its VPC. TCP and clients with a valid DNS cookie are not limited. Leave it off where nobody outside of the VPCs can send from an address that may ask. Else set it to some times what a network asks at its busiest.",
                example: "responses: 2000"
            )
        ),
        ConfigurationKey(
            "refusals",
            .one(.rate),
            to: \.refusals,
            .means(
                "Replies in a second to a network of clients that may not ask.",
                example: "refusals: 5"
            )
        ),
        ConfigurationKey(
            "slip",
            .one(.count(0...10)),
            to: \.slip,
            .means(
                "One in so many excess replies, at random, is sent empty with TC set, so that real clients retry over TCP; the others are dropped. 1 truncates all of them, 0 drops all.",
                example: "slip: 1"
            )
        ),
        ConfigurationKey(
            "exempt",
            .list(.prefix),
            to: \.exempt,
            .means("Ranges without a limit.", example: "exempt: [10.0.0.0/8]")
        ),
    ]
}

extension ValueForm<Int?> {
    /// Replies per second; nil for no limit.
    fileprivate static let rate = ValueForm(
        "a number from 1 to 100000, or off",
        written: { $0.map { "\($0)" } ?? "off" }
    ) { (text) throws(ValueFault) in
        if text == "off" { return nil }
        guard let rate = NumberText.whole(text), (1...100_000).contains(rate) else {
            throw ValueFault(
                "`\(text.shown)` is not a number of replies per second; write 1 to 100000, or off"
            )
        }
        return rate
    }
}
