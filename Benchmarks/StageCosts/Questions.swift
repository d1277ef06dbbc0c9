import DNSWire

/// Queries for a thousand names in one buffer: reading one counts no reference.
struct Questions {
    static let count = 1000
    let messages: [[UInt8]]
    let octets: [UInt8]
    private let starts: [Int]

    init(for stage: Stage) {
        let isPublic = stage == .cached || stage == .missed
        let suffix = isPublic ? "example.org" : "bench.example"
        messages = (0..<Self.count).map {
            Self.query("h\($0).\(suffix)", withOPT: stage == .privateEDNS)
        }
        octets = messages.flatMap(\.self)
        starts = messages.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
    }

    /// The range of a turn's message.
    func place(inTurn turn: Int) -> Range<Int> {
        let number = turn % Self.count
        return starts[number]..<starts[number + 1]
    }

    private static func query(_ name: String, withOPT: Bool) -> [UInt8] {
        let octets = DomainName(name)?.octets ?? [0]
        let opt: [UInt8] = withOPT ? [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0] : []
        return [0x2A, 0x17, 1, 0, 0, 1, 0, 0, 0, 0, 0, withOPT ? 1 : 0] + octets + [0, 1, 0, 1]
            + opt
    }
}
