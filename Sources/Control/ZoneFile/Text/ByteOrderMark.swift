/// The three octets that some editors put in front of UTF-8 text.
enum ByteOrderMark {
    static let octets: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// How many octets of the text are the mark.
    static func length(in text: [UInt8]) -> Int { text.starts(with: octets) ? octets.count : 0 }

    /// The text without the mark, if it starts with one.
    static func stripped(from text: [UInt8]) -> ArraySlice<UInt8> {
        text.dropFirst(length(in: text))
    }
}
