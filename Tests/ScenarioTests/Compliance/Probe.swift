import DNSWire
import TestSupport

/// A row of the table: a message, the expected reply, and the servers that reply differently, with
/// reasons.
struct Probe {
    var name: String
    var transport: Transport
    var message: [UInt8]
    /// A `ReplySummary`, or `nothing`.
    var expected: String
    var differences: [ResolverTrio.Member: Difference]

    enum Transport { case datagram, stream }

    struct Difference {
        var reply: String
        var reason: String
    }

    init(
        _ name: String,
        _ message: [UInt8],
        over transport: Transport = .datagram,
        _ expected: String,
        but differences: [ResolverTrio.Member: Difference] = [:]
    ) {
        self.name = name
        self.transport = transport
        self.message = message
        self.expected = expected
        self.differences = differences
    }

    /// Makes a query for www.example.org.
    ///
    /// `flags` are the header's. `questions` is the count in the header; with 0 there is no
    /// question. `behind` is appended unchanged, and `additional` records are counted.
    static func query(
        _ name: String = "www.example.org",
        _ type: RecordType = .a,
        class recordClass: UInt8 = 1,
        flags: UInt16 = 0x0100,
        questions: UInt8 = 1,
        additional: UInt8 = 0,
        behind: [UInt8] = []
    ) -> [UInt8] {
        var message = QueryMessage.of(name, type, id: 0x2A17)
        (message[2], message[3]) = (UInt8(flags >> 8), UInt8(flags & 0xFF))
        (message[5], message[11]) = (questions, additional)
        message[message.count - 1] = recordClass
        return (questions == 0 ? Array(message[..<Header.size]) : message) + behind
    }

    /// Makes the same query with an OPT.
    static func edns(
        _ options: [UInt8] = [],
        version: UInt8 = 0,
        ednsFlags: UInt16 = 0,
        size: UInt16 = 1232,
        flags: UInt16 = 0x0100,
        questions: UInt8 = 1
    ) -> [UInt8] {
        let opt = opt(options, version: version, flags: ednsFlags, size: size)
        return query(flags: flags, questions: questions, additional: 1, behind: opt)
    }

    static func opt(
        _ options: [UInt8] = [],
        version: UInt8 = 0,
        flags: UInt16 = 0,
        size: UInt16 = 1232
    ) -> [UInt8] {
        [
            0, 0, 41, UInt8(size >> 8), UInt8(size & 0xFF), 0, version, UInt8(flags >> 8),
            UInt8(flags & 0xFF), UInt8(options.count >> 8), UInt8(options.count & 0xFF),
        ] + options
    }

    static func option(_ code: UInt16, _ data: [UInt8] = []) -> [UInt8] {
        [UInt8(code >> 8), UInt8(code & 0xFF), UInt8(data.count >> 8), UInt8(data.count & 0xFF)]
            + data
    }
}
