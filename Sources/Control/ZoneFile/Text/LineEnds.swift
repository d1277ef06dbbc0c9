/// Normalises line ends before parsing.
///
/// Octets keep their offsets, so places in messages match the file.
enum LineEnds {
    /// Replaces CR by LF where a line ends in CR alone, as old editors wrote it.
    static func normalized(_ octets: [UInt8]) -> [UInt8] {
        guard !octets.contains(.lineFeed), octets.contains(.carriageReturn) else { return octets }
        return octets.map { $0 == .carriageReturn ? .lineFeed : $0 }
    }
}
