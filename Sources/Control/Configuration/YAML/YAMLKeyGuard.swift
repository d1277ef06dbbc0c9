/// Looks, before YAML is composed, for keys that are aliases or whole collections.
///
/// The composer compares the keys of each mapping whole. A key that is an alias of aliases would keep
/// it busy for ever, and no setting has such a key. Text inside quotes is not told apart: what looks
/// like such a key there is refused too.
struct YAMLKeyGuard {
    private let text: String

    init(_ text: String) { self.text = text }

    struct Fault {
        var line: Int
        var column: Int
        var message: String
    }

    func fault() -> Fault? {
        guard text.utf8.contains(UInt8(ascii: "*")), text.utf8.contains(UInt8(ascii: "&")) else {
            return nil
        }
        var line = 0
        for content in text.utf8.split(separator: .lineFeed, omittingEmptySubsequences: false) {
            line += 1
            if let offset = Self.suspect(in: Array(content)) {
                return Fault(
                    line: line,
                    column: offset + 1,
                    message: "a key is one word, no alias and no collection; write KEY: VALUE"
                )
            }
        }
        return nil
    }

    /// The offset of `*name :`, `] :`, `} :` or a lone `?` in a line.
    private static func suspect(in line: [UInt8]) -> Int? {
        for (index, octet) in line.enumerated() {
            let startsToken = index == 0 || " \t[{,-?".utf8.contains(line[index - 1])
            if octet == UInt8(ascii: "#"), startsToken { return nil }
            switch octet {
            case UInt8(ascii: "*") where startsToken:
                let name = line[(index + 1)...].prefix { $0 > 0x20 && !",:]}".utf8.contains($0) }
                if isKeyEnd(line[name.endIndex...]) { return index }
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                if isKeyEnd(line[(index + 1)...]) { return index }
            case UInt8(ascii: "?") where startsToken:
                if index + 1 == line.count || line[index + 1] <= 0x20 { return index }
            default: break
            }
        }
        return nil
    }

    private static func isKeyEnd(_ rest: ArraySlice<UInt8>) -> Bool {
        let tail = rest.drop { $0 == .space || $0 == .tab }
        guard tail.first == UInt8(ascii: ":") else { return false }
        return tail.dropFirst().first.map { $0 <= 0x20 || ",[]{}*&\"'".utf8.contains($0) } ?? true
    }
}
