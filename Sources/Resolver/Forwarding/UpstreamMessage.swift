import DNSWire

/// One query to an upstream, as sent, and what an answer to it must look like (RFC 5452 §9.1).
struct UpstreamMessage: Sendable {
    /// What we take over UDP without fragments (RFC 9715 §3.2).
    static let payloadSize: UInt16 = 1232

    let octets: [UInt8]
    /// Header and question; OPT follows.
    private let questionEnd: Int
    private let mixesCase: Bool

    var hasOPT: Bool { octets.count > questionEnd }
    var id: UInt16 { UInt16(octets[0]) << 8 | UInt16(octets[1]) }

    /// How a question is put.
    struct Options {
        var withOPT = true
        /// Whether the upstream is to say what it holds for authentic (RFC 6840 §5.7).
        var wantsAD = false
        /// Over a connection nothing has to be made hard to guess.
        var mixesCase = true
    }

    /// Draws the ID and the letter case of the name, which the answer has to repeat.
    init(
        asking question: UpstreamQuestion,
        name: DomainName,
        options: Options,
        random: inout RandomPool
    ) {
        let id = UInt16(truncatingIfNeeded: random.next())
        var flags = Header.Flag.recursionDesired
        if question.checkingDisabled { flags |= Header.Flag.checkingDisabled }
        if options.wantsAD { flags |= Header.Flag.authenticData }
        let nameEnd = Header.size + name.octets.count
        questionEnd = nameEnd + 4
        mixesCase = options.mixesCase
        octets = [UInt8](capacity: questionEnd + 11) { octets in
            octets.append(bigEndian: id)
            octets.append(bigEndian: flags)
            // One question, no answers, no authorities.
            octets.append(bigEndian: 1)
            octets.append(bigEndian: 0)
            octets.append(bigEndian: 0)
            octets.append(bigEndian: options.withOPT ? 1 : 0)
            if options.mixesCase {
                Self.append(name, to: &octets, random: &random)
            } else {
                for octet in name.octets { octets.append(octet) }
            }
            octets.append(bigEndian: question.type.rawValue)
            octets.append(bigEndian: 1)
            guard options.withOPT else { return }
            octets.append(0)
            octets.append(bigEndian: RecordType.opt.rawValue)
            octets.append(bigEndian: Self.payloadSize)
            octets.append(bigEndian: 0)
            octets.append(bigEndian: question.dnssecOK ? 0x8000 : 0)
            octets.append(bigEndian: 0)
        }
    }

    /// Letters in random case, a bit each (draft-vixie-dnsext-dns0x20).
    private static func append(
        _ name: DomainName,
        to octets: inout OutputSpan<UInt8>,
        random: inout RandomPool
    ) {
        var bits: UInt64 = 0
        var left = 0
        for octet in name.octets {
            guard (97...122).contains(octet) else {
                octets.append(octet)
                continue
            }
            if left == 0 {
                bits = random.next()
                left = 64
            }
            octets.append(bits & 1 == 0 ? octet : octet ^ 0x20)
            bits >>= 1
            left -= 1
        }
    }

    /// Why `answer` is no answer to this query; nil if it is one, whatever else it says.
    func mismatch(of answer: Span<UInt8>) -> AnswerMismatch? {
        guard answer.count >= Header.size, let flags = answer.bigEndian16(at: 2) else {
            return .tooShort
        }
        guard answer.bigEndian16(at: 0) == id else { return .id }
        guard flags & Header.Flag.response != 0 else { return .notAResponse }
        guard Header.Opcode.of(flags) == Header.Opcode.query else { return .opcode }
        let questionCount = answer.bigEndian16(at: 4)
        if questionCount == 0, answer.count == Header.size, flags & 0xF != 0 {
            return .noQuestion
        }
        guard questionCount == 1, answer.count >= questionEnd else { return .question }
        var mismatch: AnswerMismatch?
        for index in Header.size..<questionEnd where answer[index] != octets[index] {
            let isLetter = index < questionEnd - 4 && answer[index] ^ octets[index] == 0x20
            guard isLetter, DomainName.fold(answer[index]) == DomainName.fold(octets[index]) else {
                return .question
            }
            if mixesCase { mismatch = .letterCase }
        }
        return mismatch
    }
}

/// Why a message that an upstream seems to have sent does not answer the query.
enum AnswerMismatch: Equatable, Sendable {
    case tooShort
    case id
    case notAResponse
    case opcode
    /// Another name, type or class, or none.
    case question
    /// The question itself, its letters in another case.
    case letterCase
    /// A header alone with an error: what servers say that can't read OPT, or do not want to answer.
    case noQuestion
}

extension OutputSpan<UInt8> {
    fileprivate mutating func append(bigEndian word: UInt16) {
        append(UInt8(truncatingIfNeeded: word >> 8))
        append(UInt8(truncatingIfNeeded: word))
    }
}
