/// The text of a master file as it is read: what editors and other systems put around lines is taken off.
///
/// The offset of an octet stays what it is, so places in messages are those of the file.
enum LineEnds {
    /// The text with LF at the ends of lines where it has CR alone, as old editors wrote it.
    static func normalized(_ octets: [UInt8]) -> [UInt8] {
        guard !octets.contains(.lineFeed), octets.contains(.carriageReturn) else { return octets }
        return octets.map { $0 == .carriageReturn ? .lineFeed : $0 }
    }
}
