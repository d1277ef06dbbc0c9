import DNSWire

/// Reads domain names in master-file text (RFC 1035 §5.1) into wire format.
enum NameText {
    /// Appends the name at `range` of `text` to `output`, made absolute with `origin`.
    ///
    /// On an error `output` contains a part of the name; the caller truncates it again.
    static func append(
        _ text: borrowing Span<UInt8>,
        _ range: Range<Int>,
        origin: [UInt8],
        to output: inout [UInt8]
    ) throws(NameFault) {
        if range.count == 1, text[range.lowerBound] == .at {
            output += origin
            return
        }
        let start = output.count
        if range.count == 1, text[range.lowerBound] == .dot {
            output.append(0)
            return
        }
        guard !range.isEmpty else { throw .empty }
        if try appendLabels(text, range, to: &output) {
            output.append(0)
        } else {
            output += origin
        }
        guard output.count - start <= 255 else { throw .nameTooLong(output.count - start) }
    }

    /// Appends the labels; returns true if the name ends in a dot and is absolute.
    private static func appendLabels(
        _ text: borrowing Span<UInt8>,
        _ range: Range<Int>,
        to output: inout [UInt8]
    ) throws(NameFault) -> Bool {
        let start = output.count
        var index = range.lowerBound
        var lengthPlace = output.count
        output.append(0)
        while index < range.upperBound {
            let octet = text[index]
            if octet == .dot {
                try close(at: lengthPlace, in: &output)
                index += 1
                if index == range.upperBound { return true }
                // Checked early, so that a hostile name costs no memory.
                guard output.count - start <= 255 else {
                    throw .nameTooLong(output.count - start)
                }
                lengthPlace = output.count
                output.append(0)
            } else if octet == .backslash {
                guard let escape = Escape(text, at: index, end: range.upperBound) else {
                    throw .badEscape(index)
                }
                output.append(escape.octet)
                index += escape.length
            } else {
                output.append(octet)
                index += 1
            }
        }
        try close(at: lengthPlace, in: &output)
        return false
    }

    private static func close(at lengthPlace: Int, in output: inout [UInt8]) throws(NameFault) {
        let length = output.count - lengthPlace - 1
        guard length > 0 else { throw .emptyLabel }
        guard length <= 63 else { throw .labelTooLong(length) }
        output[lengthPlace] = UInt8(truncatingIfNeeded: length)
    }
}

/// An escaped octet: `\X` is X, `\DDD` is the octet with that decimal value (RFC 1035 §5.1).
struct Escape {
    var octet: UInt8
    /// The length in octets, including the backslash.
    var length: Int

    /// Parses the escape at `index`, which is the backslash; nil if it is malformed.
    init?(_ text: borrowing Span<UInt8>, at index: Int, end: Int) {
        guard index + 1 < end else { return nil }
        guard let hundreds = text[index + 1].digit else {
            self.octet = text[index + 1]
            self.length = 2
            return
        }
        guard index + 3 < end, let tens = text[index + 2].digit, let ones = text[index + 3].digit,
            let octet = UInt8(exactly: Int(hundreds) * 100 + Int(tens) * 10 + Int(ones))
        else { return nil }
        self.octet = octet
        self.length = 4
    }
}

/// Why a text is not a domain name.
enum NameFault: Error, Equatable {
    case empty
    case emptyLabel
    case labelTooLong(Int)
    case nameTooLong(Int)
    /// The offset of the backslash.
    case badEscape(Int)
    /// An AZ name at the end of a label that has no AZ ID; the text is the message.
    case azName(String)

    var message: String {
        switch self {
        case .empty: "empty name; write \"@\" for the origin or \".\" for the root"
        case .emptyLabel: "empty label; write exactly one dot between two labels"
        case .labelTooLong(let length):
            "label of \(length) octets; a label has at most 63 (RFC 1035 §2.3.4)"
        case .nameTooLong(let length):
            "name of \(length) octets or more; a name including its origin has at most 255 (RFC 1035 §2.3.4)"
        case .azName(let message): message
        case .badEscape:
            "malformed escape; write \\ and three digits from 000 to 255, or \\ and a character other than a digit"
        }
    }
}
