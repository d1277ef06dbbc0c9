import Control

/// A key of the configuration with the keys above it.
struct DocumentedKey {
    var key: KeyDescription
    /// The path from the top.
    var above: [KeyDescription] = []

    /// Every key, each before its children.
    static let all = ConfigurationKeys.all.flatMap { keys($0, below: []) }

    private static func keys(
        _ key: KeyDescription,
        below above: [KeyDescription]
    ) -> [DocumentedKey] {
        [DocumentedKey(key: key, above: above)]
            + key.keys.flatMap { keys($0, below: above + [key]) }
    }

    /// The path of the key: `vpcs.subnets.az`.
    var path: String { (above + [key]).map(\.name).joined(separator: ".") }

    /// The sentence after the meaning.
    var effect: String {
        switch key.effect {
        case .withReload: "A reload applies a change."
        case .withRestart: "A change takes effect with a restart."
        }
    }

    // MARK: A configuration with the key

    /// The entries that examples refer to.
    private static let world = [
        "accounts": """
        accounts:
          - id: "111122223333"
            availability-zones: { us-east-1a: use1-az4, us-east-1b: use1-az6 }
          - { id: "444455556666", availability-zones: { us-east-1a: use1-az6 } }
        """,
        "vpcs": """
        vpcs:
          - id: vpc-0a11111111111111a
            account: "111122223333"
            ranges: [10.20.0.0/16]
        """,
    ]

    static let files = [
        "aws/topology.yaml": "{}",
        "internal.example.zone":
            "@ 60 SOA ns hostmaster 1 1h 15m 1w 60\n@ NS ns\nns A 10.20.1.53\n",
    ]

    /// The example, with the keys that must be beside it and above it.
    func configuration(_ example: String? = nil) -> String {
        var lines = example ?? key.example
        for (parent, siblings) in zip(above, above.map(\.keys)).reversed() {
            let entries = Self.complete(lines, with: siblings)
            let body = parent.isList ? Self.item(entries) : Self.indented(entries)
            let beside = Self.entries(of: parent.example).filter {
                !$0.hasPrefix("\(parent.name):")
            }
            lines = (["\(parent.name):\n\(body)"] + beside).joined(separator: "\n")
        }
        let names = Self.names(in: lines)
        let rest = Self.world.sorted { $0.key < $1.key }.filter { !names.contains($0.key[...]) }
        return ([lines] + rest.map(\.value)).joined(separator: "\n")
    }

    private static func complete(_ lines: String, with siblings: [KeyDescription]) -> String {
        let names = names(in: lines)
        let missing = siblings.filter { $0.presence == .required && !names.contains($0.name[...]) }
        return ([lines] + missing.map(\.example)).joined(separator: "\n")
    }

    private static func names(in lines: String) -> Set<Substring> {
        Set(entries(of: lines).compactMap { $0.split(separator: ":").first })
    }

    /// Splits a mapping into its entries, each with its lines.
    private static func entries(of lines: String) -> [String] {
        lines.replacing(/\n(?=[^ ])/, with: "\0").split(separator: "\0").map(String.init)
    }

    private static func indented(_ lines: String) -> String {
        lines.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n")
    }

    private static func item(_ lines: String) -> String {
        let indented = lines.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n")
        return "  - " + indented.dropFirst(4)
    }
}
