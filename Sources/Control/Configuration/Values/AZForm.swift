/// The forms of AZ names and AZ IDs.
///
/// Local Zones have longer forms: `usw2-lax1-az1` is the ID of `us-west-2-lax-1a`. Wavelength Zones
/// have their own: `use1-wl1-bos-wlz1` is the ID of `us-east-1-wl1-bos-wlz-1`.
enum AZForm {
    // MARK: Of a text that is meant to be one

    /// Returns true for words separated by hyphens, of which the last is `az` or `wlz` and a
    /// number.
    static func isID(_ text: some StringProtocol) -> Bool {
        words(of: text)?.last.map(isEndOfID) ?? false
    }

    /// Returns true for words separated by hyphens, of which the last is a number and a letter, or
    /// a Wavelength Zone's number.
    static func isName(_ text: some StringProtocol) -> Bool {
        guard let parts = words(of: text), !isID(text), let last = parts.last, let end = last.last,
            let first = last.first, first.digit != nil
        else { return false }
        return end.isLetter || parts.dropLast().last?.elementsEqual("wlz".utf8) == true
    }

    private static func words(of text: some StringProtocol) -> [ArraySlice<UInt8>]? {
        let parts = Array(text.utf8).split(separator: 0x2D, omittingEmptySubsequences: false)
        let isSound =
            parts.count >= 2 && text.utf8.count <= 40
            && parts.allSatisfy { !$0.isEmpty && $0.allSatisfy(\.isSmallLetterOrDigit) }
        return isSound ? parts : nil
    }

    private static func isEndOfID(_ word: ArraySlice<UInt8>) -> Bool {
        ["az", "wlz"].contains { kind in
            word.starts(with: kind.utf8) && word.count > kind.utf8.count
                && word.dropFirst(kind.utf8.count).allSatisfy { $0.digit != nil }
        }
    }

    // MARK: Of the end of a label, which may be anything else

    private static let directions: Set<String> = [
        "north", "south", "east", "west", "central", "northeast", "northwest", "southeast",
        "southwest",
    ]

    /// Returns true for an abbreviated Region with its number, optionally a Local Zone, and `az` or
    /// `wlz` with a number.
    static func isRegionalID(_ parts: some BidirectionalCollection<ArraySlice<UInt8>>) -> Bool {
        guard let region = parts.first, region.last?.digit != nil, region.first?.isLetter == true,
            let end = parts.last
        else { return false }
        return isEndOfID(end)
    }

    /// The first words of Region names, of all partitions.
    private static let areas: Set<String> = [
        "us", "eu", "ap", "ca", "sa", "me", "af", "il", "mx", "cn", "us-gov", "us-iso", "us-isob",
        "us-isof", "eu-isoe", "eusc-de",
    ]

    /// Returns true for names such as `us-east-1a`, `us-gov-west-1b` or `us-west-2-lax-1a`.
    static func isRegionalName(_ parts: some RandomAccessCollection<ArraySlice<UInt8>>) -> Bool {
        var words = parts.map { String(decoding: $0, as: UTF8.self) }
        guard let end = words.popLast(), end.dropLast().allSatisfy(\.isNumber), end.count >= 2
        else {
            return false
        }
        if words.count > 3, let number = words.dropLast().last, number.allSatisfy(\.isNumber) {
            words.removeLast(2)
        }
        guard let direction = words.popLast(), directions.contains(direction) else { return false }
        return areas.contains(words.joined(separator: "-"))
    }
}
