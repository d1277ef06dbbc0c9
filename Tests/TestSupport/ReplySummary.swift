import DNSWire

/// A reply in one line, independent of the server and the time, such as `NOERROR question answer
/// OPT DO COOKIE`.
///
/// It contains the rcode, the opcode, the flags, the sections that are present, and the contents of
/// OPT. It omits AA, RA, extended errors and the other additional records.
package enum ReplySummary {
    /// The summary of a message; `malformed` if it cannot be read.
    package static func text(of reply: [UInt8], to query: [UInt8]) -> String {
        guard reply.count >= Header.size, reply[2] & 0x80 != 0 else { return "no reply" }
        guard query.prefix(2) == reply.prefix(2) else { return "another ID" }
        var words = flags(of: reply)
        var offset = Header.size
        let counts = (2..<6).map { reply.span.bigEndian16(at: 2 * $0) ?? 0 }
        for _ in 0..<counts[0] { offset = nameEnd(in: reply, at: offset).map { $0 + 4 } ?? .max }
        guard offset <= reply.count else { return "malformed" }
        switch counts[0] {
        case 0: break
        case 1:
            let isSame = reply[Header.size..<offset] == Answer.question(of: query)
            words.append(isSame ? "question" : "other question")
        default: words.append("\(counts[0]) questions")
        }
        if counts[1] > 0 { words.append("answer") }
        var rcode = UInt16(reply[3] & 0xF)
        for _ in 0..<counts.dropFirst().reduce(0, { $0 + Int($1) }) {
            guard let record = record(in: reply, at: offset) else { return "malformed" }
            offset = record.end
            guard record.type == .opt else { continue }
            rcode |= UInt16(record.ttl >> 24) << 4
            words += self.words(ofOPT: record.ttl, Array(reply[record.data]))
        }
        guard offset == reply.count else { return "malformed" }
        return ([ResponseCode(rawValue: rcode).description] + words).joined(separator: " ")
    }

    private static func flags(of reply: [UInt8]) -> [String] {
        var words: [String] = []
        let opcode = reply[2] >> 3 & 0xF
        if opcode != 0 { words.append("opcode \(opcode)") }
        if reply[2] & 2 != 0 { words.append("TC") }
        if reply[3] & 0x40 != 0 { words.append("Z") }
        if reply[3] & 0x20 != 0 { words.append("AD") }
        return words
    }

    private struct Record {
        var type: RecordType
        var ttl: UInt32
        var data: Range<Int>
        var end: Int { data.upperBound }
    }

    private static func record(in message: [UInt8], at start: Int) -> Record? {
        guard let offset = nameEnd(in: message, at: start) else { return nil }
        guard let type = message.span.bigEndian16(at: offset),
            let ttl = message.span.bigEndian32(at: offset + 4),
            let length = message.span.bigEndian16(at: offset + 8),
            offset + 10 + Int(length) <= message.count
        else { return nil }
        let data = offset + 10..<offset + 10 + Int(length)
        return Record(type: RecordType(rawValue: type), ttl: ttl, data: data)
    }

    private static func nameEnd(in message: [UInt8], at start: Int) -> Int? {
        var offset = start
        while offset < message.count, message[offset] != 0, message[offset] < 0xC0 {
            offset += 1 + Int(message[offset])
        }
        guard offset < message.count else { return nil }
        return offset + (message[offset] == 0 ? 1 : 2)
    }

    private static let optionNames: [UInt16: String?] = [
        3: "NSID", 8: "SUBNET", 10: "COOKIE", 11: "KEEPALIVE", 12: "PADDING", 15: nil,
    ]

    private static func words(ofOPT ttl: UInt32, _ options: [UInt8]) -> [String] {
        var words = ["OPT"]
        let version = UInt8(truncatingIfNeeded: ttl >> 16)
        if version != 0 { words.append("version \(version)") }
        if ttl & 0x8000 != 0 { words.append("DO") }
        if ttl & 0x7FFF != 0 { words.append("other EDNS flags") }
        var offset = 0
        while let code = options.span.bigEndian16(at: offset),
            let length = options.span.bigEndian16(at: offset + 2)
        {
            if let name = optionNames[code, default: "option \(code)"] { words.append(name) }
            offset += 4 + Int(length)
        }
        return words
    }
}
