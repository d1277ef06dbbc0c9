import Snapshot

extension HealthCheck {
    /// Nil, and an error, if `node` is no mapping.
    init?(reading node: ConfigurationNode, _ journal: ConfigurationJournal) {
        let keys = ["port", "https", "interval", "timeout", "rise", "fall"]
        guard let entries = MappingReader(node, "health", keys: keys, journal) else { return nil }
        self.init()
        if let port = entries.value("port", .count(1...65_535)) {
            self.port = UInt16(truncatingIfNeeded: port.value)
        }
        path = entries.value("https", .httpPath)?.value
        if let time = entries.value("interval", .wait) { interval = time.value }
        if let time = entries.value("timeout", .wait) { timeout = time.value }
        if let count = entries.value("rise", .count(1...10)) { rise = count.value }
        if let count = entries.value("fall", .count(1...10)) { fall = count.value }
        if timeout > interval {
            journal.error(
                at: entries["timeout"]?.place ?? node.place,
                "timeout is more than interval: a check would begin before the one before has ended; write at most \(interval)s"
            )
        }
    }
}

extension ValueForm<UInt32> {
    /// A duration that takes some time and ends within the day.
    fileprivate static let wait = ValueForm("a duration such as 10s") { (text) throws(ValueFault) in
        let seconds = try ValueForm<UInt32>.duration.parse(text)
        guard (1...86_400).contains(seconds) else {
            throw ValueFault("`\(text.shown)` is out of range; write 1s to 1d")
        }
        return seconds
    }
}

extension ValueForm<String> {
    /// What stands behind GET (RFC 9112 §3.2.1).
    fileprivate static let httpPath = ValueForm("a path such as /health") {
        (text) throws(ValueFault) in
        guard text.hasPrefix("/"), text.utf8.count <= 1024,
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            throw ValueFault(
                "`\(text.shown)` is no path to ask for; write up to 1024 ASCII characters without spaces, the first of them /"
            )
        }
        return text
    }

    /// The path of a socket, which the system wants short.
    static func controlPath(besides file: String) -> ValueForm {
        ValueForm("a path such as /run/zonal/control") { (text) throws(ValueFault) in
            let path = FilePath.join(text, besides: file)
            guard !text.isEmpty, path.utf8.count <= 100, !path.utf8.contains(0) else {
                throw ValueFault(
                    "`\(text.shown)` cannot be the path of a socket; write one of up to 100 octets"
                )
            }
            return path
        }
    }
}
