/// A domain name that owns its octets: wire format with the root label, letter case as written.
///
/// Names that differ only in ASCII case are equal (RFC 4343 §3). The control plane uses this type;
/// queries use `FoldedName`, which does not allocate.
public struct DomainName: Sendable {
    /// Labels with their length octets, ending in the root's zero: 1 to 255 octets (RFC 1035 §3.1).
    public let octets: [UInt8]

    public static let root = DomainName(trusted: [0])

    private init(trusted octets: [UInt8]) { self.octets = octets }

    /// Makes a name from uncompressed wire format; nil unless it is exactly one well-formed name.
    public init?(octets: some Collection<UInt8>) {
        let octets = Array(octets)
        guard octets.count <= 255 else { return nil }
        var labels = LabelCursor()
        while labels.next(in: octets.span) != nil {}
        guard octets.last == 0, labels.place == octets.count - 1 else { return nil }
        self.octets = octets
    }

    /// Makes a name from labels and the name that follows them.
    ///
    /// Nil if a label is empty or longer than 63 octets, or if the name is too long.
    public init?(
        labels: some Sequence<some Collection<UInt8>>,
        before parent: DomainName = .root
    ) {
        var octets: [UInt8] = []
        for label in labels {
            guard (1...63).contains(label.count) else { return nil }
            octets.append(UInt8(label.count))
            octets += label
        }
        octets += parent.octets
        guard octets.count <= 255 else { return nil }
        self.octets = octets
    }

    /// Copies a name in well-formed wire format; makes the root if it is malformed.
    public init(copying octets: Span<UInt8>) {
        self = DomainName(octets: octets.indices.map { octets[$0] }) ?? .root
    }

    /// The labels from left to right, without the root.
    public var labels: [ArraySlice<UInt8>] {
        var labels: [ArraySlice<UInt8>] = []
        var cursor = LabelCursor()
        while let label = cursor.next(in: octets.span) { labels.append(octets[label]) }
        return labels
    }

    public var isRoot: Bool { octets.count == 1 }

    /// The same name in lower case.
    public var folded: DomainName { DomainName(trusted: octets.map(Self.fold)) }

    /// The name without its first label; nil for the root.
    public var parent: DomainName? {
        isRoot ? nil : DomainName(trusted: Array(octets[(1 + Int(octets[0]))...]))
    }

    /// The name without a `*` as its first label.
    public var withoutWildcard: DomainName {
        octets.starts(with: [1, UInt8(ascii: "*")]) ? parent ?? self : self
    }

    /// Returns true if the name is `ancestor` or below it.
    public func isInside(_ ancestor: DomainName) -> Bool {
        var name: DomainName? = self
        while let candidate = name {
            if candidate == ancestor { return true }
            name = candidate.parent
        }
        return false
    }

    /// Returns the name with one more label at the start; nil if it is too long.
    public func prepending(label: some Collection<UInt8>) -> DomainName? {
        DomainName(labels: CollectionOfOne(label), before: self)
    }

    /// Returns the ASCII lower case of an octet; length octets (0 to 63) do not change.
    public static func fold(_ octet: UInt8) -> UInt8 {
        octet &- 65 < 26 ? octet | 0x20 : octet
    }
}

extension DomainName: Hashable {
    public static func == (left: DomainName, right: DomainName) -> Bool {
        left.octets.count == right.octets.count
            && zip(left.octets, right.octets).allSatisfy { fold($0) == fold($1) }
    }

    private static let hashSeed = HashSeed.random()

    public func hash(into hasher: inout Hasher) {
        // Eight octets at a time; length octets are not letters.
        hasher.combine(octets.span.foldedHash(Self.hashSeed))
    }
}

extension DomainName: CustomStringConvertible {
    /// Parses master-file text (RFC 1035 §5.1), including `\.` and `\123` escapes.
    ///
    /// A name without a final dot is relative to `origin`. Nil for an empty label, a label over 63
    /// octets, a name over 255, or a malformed escape.
    public init?(_ text: some StringProtocol, origin: DomainName = .root) {
        if text == "@" {
            self = origin
            return
        }
        if text == "." {
            self = .root
            return
        }
        guard let (labels, isAbsolute) = Self.labels(of: Array(text.utf8)) else { return nil }
        self.init(labels: labels, before: isAbsolute ? .root : origin)
    }

    private static func labels(of text: [UInt8]) -> (labels: [[UInt8]], isAbsolute: Bool)? {
        var labels: [[UInt8]] = [[]]
        var index = 0
        while index < text.count {
            switch text[index] {
            case UInt8(ascii: "."):
                index += 1
                if index == text.count { return (labels, true) }
                labels.append([])
            case UInt8(ascii: "\\"):
                guard let (octet, length) = escape(in: text, at: index) else { return nil }
                labels[labels.count - 1].append(octet)
                index += length
            default:
                labels[labels.count - 1].append(text[index])
                index += 1
            }
        }
        return (labels, false)
    }

    private static func escape(in text: [UInt8], at index: Int) -> (octet: UInt8, length: Int)? {
        guard index + 1 < text.count else { return nil }
        guard (48...57).contains(text[index + 1]) else { return (text[index + 1], 2) }
        guard index + 3 < text.count else { return nil }
        var value = 0
        for digit in text[index + 1...index + 3] {
            guard (48...57).contains(digit) else { return nil }
            value = value * 10 + Int(digit) - 48
        }
        return value <= 255 ? (UInt8(value), 4) : nil
    }

    /// Absolute master-file text with its final dot; unprintable octets as `\123`.
    public var description: String {
        if isRoot { return "." }
        var text = ""
        for label in labels {
            for octet in label { text += Self.text(of: octet) }
            text += "."
        }
        return text
    }

    /// Returns one octet of a label as master-file text: itself, `\.` if it has a special meaning,
    /// or `\DDD`.
    public static func text(of octet: UInt8) -> String {
        switch octet {
        case UInt8(ascii: "."), UInt8(ascii: ";"), UInt8(ascii: "\\"), UInt8(ascii: "("),
            UInt8(ascii: ")"), UInt8(ascii: "\""), UInt8(ascii: "@"), UInt8(ascii: "$"):
            return "\\" + String(UnicodeScalar(octet))
        case 33...126:
            return String(UnicodeScalar(octet))
        default:
            let digits = String(octet)
            return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
        }
    }
}
