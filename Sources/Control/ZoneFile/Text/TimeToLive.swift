/// Parses a number of seconds in BIND's syntax: `3600`, or units as in `1w2d3h4m5s`.
enum TimeToLive {
    /// The largest TTL (RFC 2181 §8).
    static let maximum: UInt32 = 0x7FFF_FFFF

    /// The result: seconds, a value above the limit, or not a time at all.
    enum Reading: Equatable {
        case seconds(UInt32)
        case tooLarge
        case notATime
    }

    /// Parses `range` of `text`; `limit` is the largest allowed value.
    static func read(
        _ text: borrowing Span<UInt8>,
        _ range: Range<Int>,
        limit: UInt32
    ) -> Reading {
        var total: UInt64 = 0
        var number: UInt64 = 0
        var digits = 0
        var units = 0
        for index in range {
            if let digit = text[index].digit {
                // Saturates far above any limit, so that long numbers do not overflow.
                number = min(number * 10 + UInt64(digit), 1 << 40)
                digits += 1
                continue
            }
            guard digits > 0, let unit = seconds(inUnit: text[index]) else { return .notATime }
            total = min(total + number * unit, 1 << 60)
            number = 0
            digits = 0
            units += 1
        }
        if units == 0 {
            guard digits > 0 else { return .notATime }
            total = number
        } else if digits > 0 {
            return .notATime
        }
        return total <= UInt64(limit) ? .seconds(UInt32(truncatingIfNeeded: total)) : .tooLarge
    }

    private static func seconds(inUnit octet: UInt8) -> UInt64? {
        switch octet | 0x20 {
        case UInt8(ascii: "s"): 1
        case UInt8(ascii: "m"): 60
        case UInt8(ascii: "h"): 3600
        case UInt8(ascii: "d"): 86_400
        case UInt8(ascii: "w"): 604_800
        default: nil
        }
    }
}
