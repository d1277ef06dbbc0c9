import DNSWire
import Snapshot

extension RateLimit {
    init(reading node: ConfigurationNode, _ journal: ConfigurationJournal) {
        self.init()
        let keys = ["responses", "refusals", "slip", "exempt"]
        guard let entries = MappingReader(node, "rate-limit", keys: keys, journal) else { return }
        if let rate = entries.value("responses", .rate) { responses = rate.value }
        if let rate = entries.value("refusals", .rate) { refusals = rate.value }
        if let slip = entries.value("slip", .count(0...10)) { self.slip = slip.value }
        exempt = entries.values("exempt", .prefix).map(\.value)
    }
}

extension ValueForm<Int?> {
    /// Replies a second; nil for any number of them.
    fileprivate static let rate = ValueForm("a number from 1 to 100000, or off") {
        (text) throws(ValueFault) in
        if text == "off" { return nil }
        guard let rate = NumberText.whole(text), (1...100_000).contains(rate) else {
            throw ValueFault(
                "`\(text.shown)` is no number of replies a second; write 1 to 100000, or off"
            )
        }
        return rate
    }
}
