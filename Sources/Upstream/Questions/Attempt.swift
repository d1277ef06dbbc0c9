import DNSWire

/// One message to one upstream.
struct Attempt: BitwiseCopyable {
    let question: QuestionID
    /// The question's next attempt.
    var next = UInt32.max
    /// The message as it was sent.
    let query: OctetStore.Place
    let sentAt: Milliseconds
    /// The upstream's number, and its turn.
    let server: UInt32
    let upstream: UInt8
    /// Messages that came to it and belong to nothing that was asked.
    var strays: UInt8 = 0
    var traits: Traits

    struct Traits: OptionSet, BitwiseCopyable {
        let rawValue: UInt16

        static let isOverConnection = Traits(rawValue: 1)
        static let hasOPT = Traits(rawValue: 2)
        /// Letters are mixed.
        static let mixesCase = Traits(rawValue: 4)
        /// Something came that belongs to it.
        static let isHeard = Traits(rawValue: 8)
        /// It was noted that nothing comes.
        static let isMissed = Traits(rawValue: 16)
        /// Nothing that still comes is taken.
        static let isClosed = Traits(rawValue: 32)
        /// Its timer says that it is late, not that it has failed.
        static let isWatched = Traits(rawValue: 64)
        /// A datagram has told that the answer is to be had over a connection.
        static let isForRest = Traits(rawValue: 128)
        /// It was answered, in a way that is of no use.
        static let isInVain = Traits(rawValue: 256)
        /// It was answered with nothing at all, where letters in mixed case may be the reason.
        static let isDenied = Traits(rawValue: 512)
        /// Something came to it that belongs to nothing that was asked.
        static let isStrayed = Traits(rawValue: 1024)
    }
}
