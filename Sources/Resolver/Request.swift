import DNSWire
import Snapshot

/// The parts of a client's query that the answer depends on.
struct Request: BitwiseCopyable {
    private(set) var type = RecordType(rawValue: 0)
    private var flags: UInt16 = 0
    /// True if the client wants DNSSEC records (DO, RFC 3225).
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

    /// Creates a request for nothing.
    init() { client = .outside }

    /// True if upstreams may be asked (RD).
    var isRecursive: Bool { flags & Header.Flag.recursionDesired != 0 }
    /// True if the client validates answers itself (CD, RFC 4035 §3.2.2).
    var checkingDisabled: Bool { flags & Header.Flag.checkingDisabled != 0 }
    /// The range of the name in the query.
    var nameRange: Range<Int> { Header.size..<questionEnd - 4 }
}
