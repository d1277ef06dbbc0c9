/// Limits the number of values and objects in a JSON text, relative to its size.
///
/// A decoder allocates about a hundred octets for an object of two, `{}`. AWS writes no objects
/// that short. Texts with many of them are rejected before decoding, so that memory is bounded by
/// the size of the text.
enum JSONDensity {
    /// The minimum average size of a value, and of an object, in a large text; in octets.
    private static let (valueSize, objectSize) = (8, 40)
    private static let small = 10_000

    /// Returns true if the text has more values or objects than AWS CLI output of its size can
    /// have.
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
