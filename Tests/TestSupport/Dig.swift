/// The output of the real `dig`.
package struct Dig: Sendable {
    package var rcode = ""
    package var flags: Set<String> = []
    package var answer: [String] = []
    package var authority: [String] = []
    package var additional: [String] = []
    /// The whole output.
    package var text: String

    /// Sends one query, with a timeout of 5 seconds.
    package init(_ arguments: [String], inside wrapper: [String] = []) throws {
        let command = wrapper + ["dig", "+tries=1", "+time=5"] + arguments
        text = try Command.run(command).output
        var section = WritableKeyPath<Dig, [String]>?.none
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix(";; ->>HEADER") { rcode = Self.word(after: "status: ", in: line) }
            if line.hasPrefix(";; flags: ") {
                flags = Set(
                    line.dropFirst(10).prefix { $0 != ";" }.split(separator: " ").map(String.init)
                )
            }
            switch line {
            case ";; ANSWER SECTION:": section = \.answer
            case ";; AUTHORITY SECTION:": section = \.authority
            case ";; ADDITIONAL SECTION:": section = \.additional
            case "": section = nil
            default:
                if let section, !line.hasPrefix(";") {
                    self[keyPath: section].append(Self.normal(line))
                }
            }
        }
    }

    /// The rdata of the answers, without types and TTLs, sorted.
    package var data: [String] {
        answer.map { $0.split(separator: " ", maxSplits: 4).last.map(String.init) ?? "" }.sorted()
    }

    /// The TTL of the first answer.
    package var ttl: Int? {
        answer.first.flatMap { Int($0.split(separator: " ").dropFirst().first ?? "") }
    }

    private static func word(after mark: String, in line: Substring) -> String {
        guard let start = line.firstRange(of: mark)?.upperBound else { return "" }
        return String(line[start...].prefix { $0 != "," })
    }

    /// With one space between fields.
    private static func normal(_ line: Substring) -> String {
        line.split { $0 == "\t" || $0 == " " }.joined(separator: " ")
    }
}
