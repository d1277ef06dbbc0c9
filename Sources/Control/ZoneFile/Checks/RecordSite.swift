/// The place of a record in its file, and the text of its line.
struct RecordSite {
    var place: SourcePlace
    var excerpt: String
}
