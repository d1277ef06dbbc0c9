/// Secrets that are removed from all messages.
struct HiddenTexts {
    /// The maximum number of secrets that are searched for.
    private static let limit = 64
    /// The length of the search key; shorter secrets are not searched for.
    private static let headLength = 8

    /// Secrets in lower case, as messages would contain them, by their first eight octets; longest
    /// first.
    private var secrets: [UInt64: [[UInt8]]] = [:]
    private var count = 0

    mutating func add(_ texts: Set<String>) {
        for text in texts.sorted() where text.utf8.count >= Self.headLength && count < Self.limit {
            let shown = text.utf8.count > 80 ? text.shown.dropLast() : text.shown[...]
            let secret = shown.utf8.map(Self.lowercased)
            let head = secret.prefix(Self.headLength).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            guard !secrets[head, default: []].contains(secret) else { continue }
            secrets[head, default: []].append(secret)
            secrets[head]?.sort { $0.count > $1.count }
            count += 1
        }
    }

    /// Returns the diagnostic without any of the secrets.
    func removed(from diagnostic: Diagnostic) -> Diagnostic {
        guard !secrets.isEmpty else { return diagnostic }
        var diagnostic = diagnostic
        diagnostic.message = removed(from: diagnostic.message)
        diagnostic.excerpt = diagnostic.excerpt.map { removed(from: $0) }
        return diagnostic
    }

    private func removed(from text: String) -> String {
        let octets = Array(text.utf8)
        let found = places(in: octets.map(Self.lowercased))
        guard !found.isEmpty else { return text }
        var result: [UInt8] = []
        var end = 0
        for place in found {
            result += octets[end..<place.lowerBound]
            result += SecretText.hidden.utf8
            end = place.upperBound
        }
        return String(decoding: result + octets[end...], as: UTF8.self)
    }

    /// Returns the ranges of the secrets; overlapping ranges are merged.
    ///
    /// Costs one hash lookup per octet, of the eight octets that end there.
    private func places(in octets: [UInt8]) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var head: UInt64 = 0
        for (index, octet) in octets.enumerated() {
            head = head << 8 | UInt64(octet)
            let start = index + 1 - Self.headLength
            guard start >= 0, let candidates = secrets[head],
                let secret = candidates.first(where: { octets[start...].starts(with: $0) })
            else { continue }
            let place = start..<(start + secret.count)
            if let last = found.last, last.upperBound > place.lowerBound {
                found[found.count - 1] =
                    last.lowerBound..<max(last.upperBound, place.upperBound)
            } else {
                found.append(place)
            }
        }
        return found
    }

    private static func lowercased(_ octet: UInt8) -> UInt8 {
        octet &- 65 < 26 ? octet | 0x20 : octet
    }
}
