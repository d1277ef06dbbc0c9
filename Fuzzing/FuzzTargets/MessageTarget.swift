import DNSWire
import Resolver

/// Any octets as a client's message.
enum MessageTarget {
    static func run(_ input: [UInt8]) throws(BrokenProperty) {
        try Exchange(message: input).runToReply()
        try Exchange(message: input, transport: .stream).runToReply()
        if let query = try? Query(reading: input.span) { try writeAgain(query, input) }
        try compareNames(in: input)
    }

    /// The parsed query, written again, parses to the same query.
    private static func writeAgain(
        _ query: Query,
        _ input: [UInt8]
    ) throws(BrokenProperty) {
        var message = Array(input[..<query.questionEnd])
        message.replaceSubrange(4..<12, with: [0, query.hasQuestion ? 1 : 0, 0, 0, 0, 0, 0, 0])
        if let edns = query.edns {
            message[11] = 1
            let options = Self.options(edns.options, in: input)
            let size = [UInt8(edns.payloadSize >> 8), UInt8(edns.payloadSize & 0xFF)]
            message += [0, 0, 41] + size + [0, edns.version, edns.dnssecOK ? 0x80 : 0, 0]
            message += [UInt8(options.count >> 8), UInt8(options.count & 0xFF)] + options
        }
        guard let again = try? Query(reading: message.span) else {
            throw BrokenProperty(description: "a query written anew can't be read: \(message)")
        }
        try require(
            again.id == query.id && again.flags == query.flags
                && again.questionEnd == query.questionEnd && again.type == query.type
                && again.recordClass == query.recordClass
                && again.edns?.payloadSize == query.edns?.payloadSize
                && again.edns?.version == query.edns?.version
                && again.edns?.dnssecOK == query.edns?.dnssecOK
                && again.edns.map { options($0.options, in: message) }
                    == query.edns.map { options($0.options, in: input) },
            "a query written anew says something else: \(message)"
        )
    }

    private static func options(_ options: EDNSOptions, in message: [UInt8]) -> [UInt8] {
        var octets: [UInt8] = []
        if let cookie = options.cookie {
            octets += [0, 10, 0, UInt8(cookie.length)]
            octets += message[cookie.start..<cookie.start + cookie.length]
        }
        if options.asksForIdentifier { octets += [0, 3, 0, 0] }
        if options.asksForKeepalive { octets += [0, 11, 0, 0] }
        return octets
    }

    /// The three readers of names agree at every octet where a name may start.
    private static func compareNames(in input: [UInt8]) throws(BrokenProperty) {
        let message = input.span
        var names = NameTable(of: message)
        var folded = FoldedName(seed: FuzzWorld.seed)
        for offset in input.indices.prefix(512) {
            guard let name = try? message.name(at: offset) else { continue }
            try? folded.read(compressedIn: message, at: offset)
            try require(folded.equals(name.folded), "a name is folded to another at \(offset)")
            guard let number = try? names.number(ofNameAt: offset, in: message) else {
                throw BrokenProperty(description: "the table can't read the name at \(offset)")
            }
            let labels = names.line(of: number).dropFirst().reversed().flatMap { name in
                names.firstLabel(of: name).map { input[$0] }
            }
            try require(
                DomainName(octets: labels + [0]) == name,
                "the table has another name for \(offset)"
            )
        }
    }
}
