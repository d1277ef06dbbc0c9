/// Encodes internationalised labels as ASCII: `xn--bro-hoa` for `büro` (RFC 3492, RFC 5891).
enum Punycode {
    /// Returns the A-label of a UTF-8 label; nil if it is invalid, too long, or has letters other
    /// than small ones.
    ///
    /// Does not normalise, so labels with combining marks give nil.
    static func aLabel(of label: some Collection<UInt8>) -> String? {
        guard let text = String(validating: label, as: UTF8.self) else { return nil }
        let scalars = text.lowercased().unicodeScalars.map(\.self)
        guard scalars.allSatisfy({ $0.properties.canonicalCombiningClass == .notReordered }),
            let encoded = encode(scalars.map(\.value)), encoded.utf8.count <= 59
        else { return nil }
        return "xn--" + encoded
    }

    private static let (base, tmin, tmax, skew, damp) = (36, 1, 26, 38, 700)

    /// Encodes as in RFC 3492 §6.3; labels are short, so nothing overflows.
    private static func encode(_ input: [UInt32]) -> String? {
        guard input.count <= 63 else { return nil }
        var output = input.filter { $0 < 0x80 }.map { UInt8(truncatingIfNeeded: $0) }
        let basicCount = output.count
        if basicCount > 0 { output.append(UInt8(ascii: "-")) }
        var (n, delta, bias, handled) = (128, 0, 72, basicCount)
        while handled < input.count {
            guard let next = input.lazy.map({ Int($0) }).filter({ $0 >= n }).min() else {
                return nil
            }
            delta += (next - n) * (handled + 1)
            n = next
            for value in input {
                if Int(value) < n { delta += 1 }
                guard Int(value) == n else { continue }
                append(delta, bias, to: &output)
                bias = adapt(delta, handled + 1, isFirst: handled == basicCount)
                (delta, handled) = (0, handled + 1)
            }
            (delta, n) = (delta + 1, n + 1)
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Writes `delta` as a variable-length integer.
    private static func append(_ delta: Int, _ bias: Int, to output: inout [UInt8]) {
        var (rest, k) = (delta, base)
        while true {
            let threshold = min(max(k - bias, tmin), tmax)
            guard rest >= threshold else { break }
            output.append(digit(threshold + (rest - threshold) % (base - threshold)))
            rest = (rest - threshold) / (base - threshold)
            k += base
        }
        output.append(digit(rest))
    }

    private static func digit(_ value: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: value < 26 ? value + 97 : value - 26 + 48)
    }

    private static func adapt(_ delta: Int, _ count: Int, isFirst: Bool) -> Int {
        var delta = isFirst ? delta / damp : delta / 2
        delta += delta / count
        var k = 0
        while delta > (base - tmin) * tmax / 2 {
            delta /= base - tmin
            k += base
        }
        return k + (base - tmin + 1) * delta / (delta + skew)
    }
}
