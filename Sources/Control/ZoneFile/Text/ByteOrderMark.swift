/// The UTF-8 byte order mark that some editors write.
enum ByteOrderMark {
    static let octets: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// Returns the length of the mark at the start of the text, or 0.
    static func length(in text: [UInt8]) -> Int { text.starts(with: octets) ? octets.count : 0 }

    /// Returns the text without the mark.
    static func stripped(from text: [UInt8]) -> ArraySlice<UInt8> {
        text.dropFirst(length(in: text))
    }
}
