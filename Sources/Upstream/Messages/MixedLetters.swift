import DNSWire

/// The letters of our question to an upstream, whose case is random (0x20), among those of its answer.
///
/// An upstream repeats the question and lets names of its answer point into it; some copy labels of it
/// into names that they make. Such labels are written in lower case, as the upstream would have
/// written them for a question in lower case, so that nothing random reaches the cache or a client.
public struct MixedLetters {
    /// Where the question's name stands in the message.
    private let question: Range<Int>
    /// Its labels that have an upper-case letter, each once, without their length octets.
    private var labels: [Range<Int>] = []
    /// A bit for the length and the outer letters of each, so that nearly all others are told apart at once.
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

    /// True of octets that stand in the question itself.
    public func isInQuestion(_ label: Range<Int>) -> Bool { question.contains(label.lowerBound) }

    /// True of octets that are one of the question's labels, letter for letter.
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
