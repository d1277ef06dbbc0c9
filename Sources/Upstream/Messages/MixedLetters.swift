import DNSWire

/// Finds what an upstream copied from our question, whose letters are in random case (0x20).
///
/// Upstreams repeat the question, and names in the answer point to it. Some upstreams also copy
/// labels of the question into other names. These labels are written in lower case, as they would
/// be for a question in lower case. So no random case gets into the cache or to a client.
public struct MixedLetters {
    /// The range of the question's name in the message.
    private let question: Range<Int>
    /// The labels of the question that have an upper-case letter, each once, without length octets.
    private var labels: [Range<Int>] = []
    /// A set of bits for the length, the first and the last letter of each label, which excludes
    /// most other labels quickly.
    private var marks: UInt64 = 0

    public init(of message: Span<UInt8>) {
        let end = (try? message.nameEnd(at: Header.size)) ?? Header.size
        question = Header.size..<end
        var place = Header.size
        while place < end, case let length = Int(message[place]), (1...63).contains(length) {
            let label = place + 1..<place + 1 + length
            place = label.upperBound
            guard label.contains(where: { (65...90).contains(message[$0]) }),
                !isCopied(label, in: message)
            else { continue }
            labels.append(label)
            marks |= Self.mark(of: label, in: message)
        }
    }

    /// True if the octets are in the question itself.
    public func isInQuestion(_ label: Range<Int>) -> Bool { question.contains(label.lowerBound) }

    /// True if the octets equal one of the question's labels, in the same case.
    public func isCopied(_ label: Range<Int>, in message: Span<UInt8>) -> Bool {
        guard !label.isEmpty, marks & Self.mark(of: label, in: message) != 0 else { return false }
        for known in labels where Self.areEqual(known, label, in: message) { return true }
        return false
    }

    private static func mark(of label: Range<Int>, in message: Span<UInt8>) -> UInt64 {
        let (first, last) = (message[label.lowerBound], message[label.upperBound - 1])
        return 1 << UInt64((label.count &* 37 &+ Int(first) &* 11 &+ Int(last) &* 5) & 63)
    }

    private static func areEqual(
        _ left: Range<Int>,
        _ right: Range<Int>,
        in message: Span<UInt8>
    ) -> Bool {
        guard left.count == right.count else { return false }
        var (place, other) = (left.lowerBound, right.lowerBound)
        while place < left.upperBound {
            guard message[place] == message[other] else { return false }
            (place, other) = (place + 1, other + 1)
        }
        return true
    }
}
