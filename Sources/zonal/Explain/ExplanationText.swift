import DNSWire

extension Explanation {
    /// The explanation as text: the question, the decisions, the records.
    var lines: [String] {
        var lines = ["\(name) \(type) asked from \(client.address)", ""]
        for (index, step) in steps.enumerated() { lines.append("  \(index + 1). \(step)") }
        lines.append("")
        lines += answers.map(Self.line)
        if answers.isEmpty == false { lines.append("") }
        lines.append(rcode.map { "  \($0)" } ?? "  no reply without an upstream")
        return lines
    }

    private static func line(_ record: Record) -> String {
        var text = record.isChosen ? "  + " : "  - "
        text += "\(record.name) \(record.ttl) \(record.type) \(record.data)"
        let health = record.isUp.map { $0 ? "up" : "down" }
        let notes = [record.azID, health, record.reason, place(of: record)].compactMap { $0 }
        return text + "   ; " + notes.joined(separator: ", ")
    }

    private static func place(of record: Record) -> String? {
        record.file.map { file in record.line.map { "\(file):\($0)" } ?? file }
    }
}
