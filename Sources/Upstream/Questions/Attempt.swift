import DNSWire

/// One message to one upstream.
struct Attempt: BitwiseCopyable {
    let question: QuestionID
    /// The place of the question's next attempt.
    var next = UInt32.max
    /// The message as it was sent.
    let query: OctetStore.Place
    let sentAt: Milliseconds
    /// The upstream's number.
    let server: UInt32
    /// The upstream's position in the question's order.
    let upstream: UInt8
    /// The number of messages on its socket that answered no query.
    var strays: UInt8 = 0
    var traits: Traits

    struct Traits: OptionSet, BitwiseCopyable {
        let rawValue: UInt16

        static let isOverConnection = Traits(rawValue: 1)
        static let hasOPT = Traits(rawValue: 2)
        /// The name's letters are in mixed case.
        static let mixesCase = Traits(rawValue: 4)
        /// A message that belongs to it has arrived.
        static let isHeard = Traits(rawValue: 8)
        /// Its silence has been noted.
        static let isMissed = Traits(rawValue: 16)
        /// Messages that still arrive for it are ignored.
        static let isClosed = Traits(rawValue: 32)
        /// Its timer means that it is late, not that it has failed.
        static let isWatched = Traits(rawValue: 64)
        /// A datagram said that the answer has to be asked for over a connection.
        static let isForRest = Traits(rawValue: 128)
        /// Its answer was useless.
        static let isInVain = Traits(rawValue: 256)
        /// Its answer was empty, perhaps because of the letters' case.
        static let isDenied = Traits(rawValue: 512)
        /// A message on its socket answered no query.
        static let isStrayed = Traits(rawValue: 1024)
    }
}
