public import DNSWire

/// The extended errors that an upstream sent (RFC 8914), as they may be passed on to clients.
///
/// There are few of them, and their texts are valid UTF-8 without characters that act on a
/// terminal. A text with an address is left out, since the address may be private and clients see
/// the text.
public struct ReportedErrors: Hashable, Sendable {
    public struct Entry: Hashable, Sendable {
        public var code: ExtendedError
        /// UTF-8; empty for none.
        public var text: [UInt8]
    }

    /// The errors, at least one.
    public private(set) var entries: [Entry] = []

    /// The number of errors that are passed on.
    static let countLimit = 4
    /// Octets of all texts together (CVE-2024-1931).
    static let textLimit = 64

    /// Reads the extended errors of a response; nil if it has none or cannot be read.
    public init?(reading message: Span<UInt8>) {
        guard let options = Self.options(of: message) else { return nil }
        let letters = MixedLetters(of: message)
        var (place, room) = (options.lowerBound, Self.textLimit)
        while entries.count < Self.countLimit, let code = message.bigEndian16(at: place),
            let length = message.bigEndian16(at: place + 2).map(Int.init),
            place + 4 + length <= options.upperBound
        {
            defer { place += 4 + length }
            guard code == EDNSOptions.Code.extendedError, length >= 2,
                let code = message.bigEndian16(at: place + 4)
            else { continue }
            var text = Self.text(in: place + 6..<place + 4 + length, of: message, letters)
            if text.count > room { text = Self.cut(text, to: room) }
            room -= text.count
            entries.append(Entry(code: ExtendedError(rawValue: code), text: text))
        }
        if entries.isEmpty { return nil }
    }

    /// The range of the options in the message's OPT record.
    private static func options(of message: Span<UInt8>) -> Range<Int>? {
        guard var reader = try? MessageReader(message), reader.questionCount == 1,
            (try? reader.skipQuestion(of: message)) != nil
        else { return nil }
        while let record = try? reader.next(in: message) {
            if record.section == .additional, record.type == .opt, message[record.owner] == 0 {
                return record.rdata..<record.rdataEnd
            }
        }
        return nil
    }

    // MARK: Texts

    /// EXTRA-TEXT without harmful characters; empty if it is not valid, or has an address.
    private static func text(
        in range: Range<Int>,
        of message: Span<UInt8>,
        _ letters: MixedLetters
    ) -> [UInt8] {
        var end = range.upperBound
        while end > range.lowerBound, message[end - 1] == 0 { end -= 1 }
        let octets = lowered(range.lowerBound..<end, of: message, letters)
        guard let text = String(validating: octets, as: UTF8.self), !hasAddress(octets) else {
            return []
        }
        var harmless = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            harmless.append(PlainText.isHarmless(scalar) ? scalar : " ")
        }
        return Array(String(harmless).utf8)
    }

    /// The octets, in which labels copied from our question are in lower case.
    private static func lowered(
        _ range: Range<Int>,
        of message: Span<UInt8>,
        _ letters: MixedLetters
    ) -> [UInt8] {
        var octets: [UInt8] = []
        var place = range.lowerBound
        while place < range.upperBound {
            var end = place
            while end < range.upperBound, isOfLabel(message[end]) { end += 1 }
            let isOurs = letters.isCopied(place..<end, in: message)
            for index in place..<end {
                octets.append(isOurs ? DomainName.fold(message[index]) : message[index])
            }
            if end < range.upperBound { octets.append(message[end]) }
            place = end + 1
        }
        return octets
    }

    /// True for letters, digits, hyphen and underscore.
    private static func isOfLabel(_ octet: UInt8) -> Bool {
        switch octet {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: true
        default: false
        }
    }

    /// True if the text has an IPv4 or IPv6 address in it.
    private static func hasAddress(_ octets: [UInt8]) -> Bool {
        let digits = octets.split { !(0x30...0x39).contains($0) && $0 != 0x2E }
        if digits.contains(where: { $0.split(separator: 0x2E).count >= 4 }) { return true }
        return octets.split { !isOfIPv6($0) }.contains(where: isIPv6)
    }

    /// True for hexadecimal digits, colon and dot, which may be in an IPv6 address.
    private static func isOfIPv6(_ octet: UInt8) -> Bool {
        switch octet {
        case 0x30...0x3A, 0x41...0x46, 0x61...0x66, 0x2E: true
        default: false
        }
    }

    /// True for an IPv6 address, also if a full stop or a colon follows it.
    private static func isIPv6(_ octets: ArraySlice<UInt8>) -> Bool {
        guard octets.count <= 64, octets.contains(0x3A) else { return false }
        return [octets, octets.dropLast()].contains {
            IPAddress(String(decoding: $0, as: UTF8.self)) != nil
        }
    }

    /// The beginning of the text, without an incomplete character.
    private static func cut(_ text: [UInt8], to length: Int) -> [UInt8] {
        var end = length
        while end > 0, text[end] & 0xC0 == 0x80 { end -= 1 }
        return Array(text[..<end])
    }
}

/// Why a question that needs an upstream was not answered.
public struct ForwardingFailure: Hashable, Sendable {
    /// The extended error of this server.
    public var error: ExtendedError
    /// The extended errors of an upstream, which are more specific.
    public var reported: ReportedErrors?

    public init(_ error: ExtendedError, reported: ReportedErrors? = nil) {
        self.error = error
        self.reported = reported
    }

    public static var other: Self { Self(.other) }
    public static var notReady: Self { Self(.notReady) }
    public static var networkError: Self { Self(.networkError) }
    public static var noReachableAuthority: Self { Self(.noReachableAuthority) }
    public static var forwardingLoop: Self { Self(.forwardingLoop) }
}
