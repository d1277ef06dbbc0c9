/// Finds `control` in files that may be invalid, so that commands still reach the server.
struct ControlPathSearch {
    private let loader: any FileLoader
    private var seen: Set<String> = []

    private static let controlKey = ConfigurationDraft.key(\.control)
    private static let includeKey = ConfigurationDraft.key(\.includes)

    /// The maximum number of files that are read.
    private static let fileLimit = 256

    init(_ loader: any FileLoader) { self.loader = loader }

    /// Returns the socket path that the file at `path` or an included one sets; nil if none does.
    mutating func find(_ path: String) -> String? {
        guard seen.count < Self.fileLimit,
            seen.insert((try? loader.resolved(path)) ?? path).inserted,
            let octets = try? loader.octets(of: path)
        else { return nil }
        let text = Array(ByteOrderMark.stripped(from: octets))
        let keys = Self.topKeys(of: text)
        for written in [keys.control, Self.controlLine(of: text)] {
            if let written, let socket = try? ValueForm.controlPath(besides: path).parse(written) {
                return socket
            }
        }
        for file in keys.includes {
            if let found = find(PathText.path(file, besides: path)) { return found }
        }
        return nil
    }

    /// Returns the top-level keys before the first syntax error.
    private static func topKeys(of text: [UInt8]) -> (control: String?, includes: [String]) {
        guard String(validating: text, as: UTF8.self) != nil else { return (nil, []) }
        var found: (control: String?, includes: [String]) = (nil, [])
        var events = YAMLEvents(text)
        // Inside the top-level mapping, scalars are alternately keys and values.
        var (depth, key) = (0, String?.none)
        while let (event, _) = try? events.next() {
            switch event {
            case .mappingStart, .listStart: depth += 1
            case .mappingEnd, .listEnd:
                depth -= 1
                if depth == 1 { key = nil }
            case .scalar(let value, _, _) where depth == 1:
                guard let name = key else {
                    key = value
                    continue
                }
                if name == controlKey { found.control = value }
                if name == includeKey { found.includes.append(value) }
                key = nil
            case .scalar(let value, _, _) where depth == 2 && key == includeKey:
                found.includes.append(value)
            case .alias where depth == 1: key = nil
            case .streamEnd: return found
            default: break
            }
        }
        return found
    }

    /// Returns the value of a line that starts with `control:`, ignoring YAML syntax around it.
    private static func controlLine(of text: [UInt8]) -> String? {
        let key = Array("\(controlKey):".utf8)
        let lines = text.split { $0 == .lineFeed || $0 == .carriageReturn }
        guard let line = lines.first(where: { $0.starts(with: key) }) else { return nil }
        var value = line.dropFirst(key.count).drop { $0 == .space || $0 == .tab }
        if let quote = value.first, quote == .quote || quote == UInt8(ascii: "'") {
            value = value.dropFirst().prefix { $0 != quote }
        } else {
            value = value.prefix { $0 != UInt8(ascii: "#") && $0 != .space && $0 != .tab }
        }
        return value.isEmpty ? nil : String(decoding: value, as: UTF8.self)
    }
}
