/// Where a record stands in its file, and the text of that line.
struct RecordSite {
    var place: SourcePlace
    var excerpt: String

    /// The first thing written in `line`, which counts from 1, of a file with these octets.
    init(file: String, line: Int, in octets: [UInt8]) {
        var offset = 0
        var current = 1
        while current < line, offset < octets.count {
            if octets[offset] == .lineFeed { current += 1 }
            offset += 1
        }
        let start = offset
        while offset < octets.count, octets[offset] == .space || octets[offset] == .tab {
            offset += 1
        }
        place = SourcePlace(file: file, line: line, column: offset - start + 1)
        excerpt = MasterFileLexer.excerpt(of: octets, at: offset)
    }
}
