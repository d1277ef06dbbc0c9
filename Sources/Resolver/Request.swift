import DNSWire
import Snapshot

/// A query on its way through the stages: what is asked, by whom and when.
struct Request: BitwiseCopyable {
    let query: Query
    /// The class of the client that sent it.
    let client: ClientClass
    /// Seconds of the process's steady clock.
    let now: UInt32

    var type: RecordType { query.type }

    /// False of a query that is not to lead to others (RD=0).
    var isRecursive: Bool { query.flags & Header.Flag.recursionDesired != 0 }
}
