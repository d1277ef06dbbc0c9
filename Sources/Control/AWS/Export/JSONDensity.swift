/// How much a JSON text asks its decoder to make.
///
/// A decoder makes objects of a hundred octets from two, `{}`; AWS writes none so short. Texts of many are refused before
/// they are decoded, so that the decoder's work is bounded by the size of the text.
enum JSONDensity {
    /// Octets of a value, and of an object, on average in a large text.
    private static let (valueSize, objectSize) = (8, 40)
    private static let small = 10_000

    /// True if there are more values or objects than such a text would hold that a command line has written.
    static func isExcessive(_ octets: [UInt8]) -> Bool {
        var (values, objects) = (0, 0)
        var isInString = false
        var isEscaped = false
        for octet in octets {
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if octet == .backslash {
                    isEscaped = true
                } else if octet == .quote {
                    isInString = false
                }
                continue
            }
            switch octet {
            case .quote: isInString = true
            case UInt8(ascii: "{"): (objects, values) = (objects + 1, values + 1)
            case UInt8(ascii: ","), UInt8(ascii: "["): values += 1
            default: break
            }
        }
        return values > small + octets.count / valueSize
            || objects > small + octets.count / objectSize
    }
}
