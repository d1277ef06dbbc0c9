/// Where a record stands in its file, and the text of that line.
struct RecordSite {
    var place: SourcePlace
    var excerpt: String
}
