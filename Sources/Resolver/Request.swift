import DNSWire
import Snapshot

/// What a client's query asks for, as far as the answer depends on it.
struct Request: BitwiseCopyable {
    private(set) var type = RecordType(rawValue: 0)
    private var flags: UInt16 = 0
    /// The client wants DNSSEC records, too (RFC 3225).
    private(set) var dnssecOK = false
    /// Octets of the header and the question.
    private(set) var questionEnd = 0
    /// Seconds of the process's steady clock.
    private(set) var now: UInt32 = 0
    /// The class of the client.
    let client: ClientClass

    init(_ query: Query, from client: ClientClass, now: UInt32) {
        type = query.type
        flags = query.flags
        dnssecOK = query.edns?.dnssecOK ?? false
        questionEnd = query.questionEnd
        self.now = now
        self.client = client
    }

    /// Asks for nothing.
    init() { client = .outside }

    /// Upstreams may be queried for it (RD).
    var isRecursive: Bool { flags & Header.Flag.recursionDesired != 0 }
    /// The client validates itself (CD, RFC 4035 §3.2.2).
    var checkingDisabled: Bool { flags & Header.Flag.checkingDisabled != 0 }
    /// Where the name stands in the query.
    var nameRange: Range<Int> { Header.size..<questionEnd - 4 }
}
