/// Finds secrets, so that no message, log or status output contains them.
enum SecretText {
    /// The text that replaces a secret.
    static let hidden = "(not shown)"

    /// Returns true for keys whose values are secrets, including likely misspellings.
    static func isKey(_ key: String) -> Bool { isKey(Array(key.utf8)) }

    /// The same for octets, for speed: a large file has many keys.
    private static func isKey(_ octets: [UInt8]) -> Bool {
        guard octets.count >= shortest else { return false }
        return octets.indices.contains { start in
            guard firsts.contains(octets[start] | 0x20) else { return false }
            return words.contains { octets[start...].starts(with: $0) { $0 | 0x20 == $1 } }
        }
    }

    private static let words = [
        "cookie", "secret", "token", "password", "passphrase", "credential", "private-key",
    ].map { Array($0.utf8) }
    private static let firsts = words.compactMap(\.first)
    private static let shortest = words.map(\.count).min() ?? 0

    /// Returns a mapping's key for a message: in backquotes, or hidden if it may be a secret in the
    /// wrong place.
    static func quoted(key: String, isSecret: Bool = false) -> String {
        isSecret || looksRandom(key) ? hidden : "`\(key.shown)`"
    }

    /// Returns true if the text has a run of letters and digits that is too long for a word.
    static func looksRandom(_ text: String) -> Bool {
        text.utf8.split { !$0.isLetter && $0.digit == nil }.contains { part in
            part.count >= 16 && part.contains { $0.digit != nil } || part.count > 32
        }
    }

    // MARK: Lines

    /// Returns a line of a file with possible secrets removed.
    ///
    /// Removes the value after a secret's key, and runs of 32 hexadecimal digits.
    static func redacted(line: String) -> String {
        let octets = Array(line.utf8)
        if let colon = secretColon(in: octets) {
            let head = String(decoding: octets[...colon], as: UTF8.self)
            return colon + 1 == octets.count ? head : "\(head) \(hidden)"
        }
        var result: [UInt8] = []
        var rest = octets[...]
        while !rest.isEmpty {
            let run = rest.prefix { $0.hexDigit != nil }
            result += run.count >= 32 ? Array(hidden.utf8)[...] : run
            rest = rest.dropFirst(run.count)
            let other = rest.prefix { $0.hexDigit == nil }
            result += other
            rest = rest.dropFirst(other.count)
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Returns the offset of the colon, if the first word of a line is a secret's key.
    private static func secretColon(in octets: [UInt8]) -> Int? {
        var word: [UInt8] = []
        for (index, octet) in octets.enumerated() {
            if octet.isLetter || "-_".utf8.contains(octet) {
                word.append(octet)
            } else if octet == UInt8(ascii: ":") {
                if isKey(word) { return index }
                word = []
            } else if !" \t\"'".utf8.contains(octet) {
                word = []
            }
        }
        return nil
    }

    /// Removes possible secrets from the lines of a unified diff, including lists below a secret's
    /// key.
    static func redacted(diff lines: [String]) -> [String] {
        var secretIndent: Int?
        return lines.map { line in
            let text = line.dropFirst()
            let indent = text.prefix { $0 == " " }.count
            if let outer = secretIndent {
                let isItem = indent == outer && text.dropFirst(indent).hasPrefix("-")
                if indent > outer || isItem, !line.hasPrefix("@@") {
                    return line.prefix(1 + indent) + hidden
                }
            }
            secretIndent = secretColon(in: Array(line.utf8)) == nil ? nil : indent
            return redacted(line: line)
        }
    }

    /// Returns true if the text is a configuration file with secrets, valid or not.
    ///
    /// Readers of other formats quote invalid lines in messages. They use this to reject
    /// configuration files.
    static func isConfiguration(_ octets: [UInt8]) -> Bool {
        var isInside = false
        var start = octets.startIndex
        while let colon = octets[start...].firstIndex(of: UInt8(ascii: ":")) {
            start = colon + 1
            // The longest key, with quotes and what may precede it.
            let head = octets[..<colon].suffix(40)
                .reversed().drop { " \t\"'".utf8.contains($0) }
            let word = head.prefix { $0.isLetter || "-_".utf8.contains($0) }
            guard word.count >= 5, isKey(Array(word.reversed())) else {
                continue
            }
            let before = head.dropFirst(word.count).drop { " \t\"'{?".utf8.contains($0) }
            if before.isEmpty || before.first == .lineFeed { return true }
            isInside = true
        }
        return isInside && hasSection(octets)
    }

    private static func hasSection(_ octets: [UInt8]) -> Bool {
        var reader = YAMLReader(file: "", journal: ConfigurationJournal())
        return reader.read(octets)?.hasSecrets ?? false
    }
}

extension ConfigurationNode {
    /// True if a secret's key has a value.
    fileprivate var hasSecrets: Bool {
        switch content {
        case .nothing, .text: isSecret
        case .list(let items): items.contains(where: \.hasSecrets)
        case .mapping(let entries): isSecret || entries.contains(where: \.value.hasSecrets)
        }
    }

    /// Returns the tree with all values of secrets marked, and tells the journal to hide them and
    /// the secrets of `dropped`, entries that are not in the tree.
    ///
    /// An alias that repeats a secret outside a secret's key is an error.
    func markingSecrets(
        and dropped: [Entry],
        _ journal: ConfigurationJournal
    ) -> ConfigurationNode {
        var finder = SecretFinder()
        finder.collect(self, isSecret: false)
        for entry in dropped {
            finder.collect(entry.value, isSecret: SecretText.isKey(entry.key))
        }
        guard !finder.places.isEmpty || !finder.texts.isEmpty else { return self }
        journal.hide(finder.texts)
        return finder.marked(self, isSecret: false, journal)
    }
}

/// Collects the values of secrets in a tree.
private struct SecretFinder {
    private(set) var places: Set<SourcePlace> = []
    private(set) var texts: Set<String> = []

    mutating func collect(_ node: ConfigurationNode, isSecret: Bool) {
        switch node.content {
        case .nothing: break
        case .text(let text):
            guard isSecret else { return }
            places.insert(node.place)
            texts.insert(text)
        case .list(let items):
            for item in items { collect(item, isSecret: isSecret) }
        case .mapping(let entries):
            for entry in entries {
                let isKey = SecretText.isKey(entry.key)
                if isSecret, !isKey { texts.insert(entry.key) }
                collect(entry.value, isSecret: isSecret || isKey)
            }
        }
    }

    func marked(
        _ node: ConfigurationNode,
        isSecret: Bool,
        _ journal: ConfigurationJournal
    ) -> ConfigurationNode {
        var node = node
        node.isSecret = isSecret
        switch node.content {
        case .nothing: break
        case .text:
            guard !isSecret, places.contains(node.place) else { break }
            journal.error(
                at: node.place,
                "an alias repeats a secret at a key that has none; write the value out"
            )
            node.content = .nothing
        case .list(let items):
            node.content = .list(items.map { marked($0, isSecret: isSecret, journal) })
        case .mapping(let entries):
            node.content = .mapping(
                entries.map { entry in
                    let isSecret = isSecret || SecretText.isKey(entry.key)
                    var entry = entry
                    entry.value = marked(entry.value, isSecret: isSecret, journal)
                    return entry
                }
            )
        }
        return node
    }
}
