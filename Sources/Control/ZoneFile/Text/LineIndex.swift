/// The offsets of the lines of a text, so that finding a line does not scan the text again.
struct LineIndex {
    private let octets: [UInt8]
    private let starts: [UInt32]

    init(_ octets: [UInt8]) {
        let octets = LineEnds.normalized(octets)
        self.octets = octets
        var starts = [UInt32(ByteOrderMark.length(in: octets))]
        for (offset, octet) in octets.enumerated() where octet == .lineFeed {
            starts.append(UInt32(truncatingIfNeeded: offset + 1))
        }
        self.starts = starts
    }

    /// Returns the first token in `line`, which counts from 1.
    func site(file: String, line: Int) -> RecordSite {
        let start = Int(starts[min(max(line - 1, 0), starts.count - 1)])
        var offset = start
        while offset < octets.count, octets[offset] == .space || octets[offset] == .tab {
            offset += 1
        }
        return RecordSite(
            place: SourcePlace(file: file, line: line, column: offset - start + 1),
            excerpt: MasterFileLexer.excerpt(of: octets, at: offset)
        )
    }
}
