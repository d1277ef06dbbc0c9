package import DNSWire

/// The names of a response with their letter case, record by record: the owner, then the names in
/// the rdata.
package enum AnswerNames {
    /// Reads a whole response with one question; of types whose names are never compressed only the
    /// owner is read.
    package static func read(_ message: [UInt8]) throws(WireError) -> [String] {
        let span = message.span
        var reader = try MessageReader(span)
        try reader.skipQuestion(of: span)
        var names: [String] = []
        while let record = try reader.next(in: span) {
            guard record.type != .opt else { continue }
            names.append("\(try span.name(at: record.owner))")
            try RdataShape.walk(record, in: span, copy: { _ in }) { place throws(WireError) in
                names.append("\(try span.name(at: place))")
            }
        }
        return names
    }
}
