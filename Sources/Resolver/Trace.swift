public import DNSWire
public import Snapshot

/// What the stages decided about one query, in order; `explain` prints it.
///
/// The server's pipelines have no trace, so a decision costs them one look at a nil.
public final class Trace {
    public private(set) var events: [Event] = []

    public init() {}

    public enum Event {
        /// What the client is.
        case classified(ClientClass)
        /// The longest match for a name.
        case routed(DomainName, Route?)
        /// What a private zone says about a name.
        case matched(DomainName, CompiledZone, ZoneMatch)
        /// An RRset of a private zone, and what of it this client gets.
        case answered(DomainName, CompiledZone, RRset, Selection)
        /// The servers of a delegation of a zone are to answer for a name: the cut, and its NS records.
        case delegated(DomainName, cut: DomainName, CompiledZone, RRset)
        /// A zone has the name, but not the type, which it lets fall through.
        case typePassedOn(DomainName, RecordType)
        /// A zone lacks the name, but other zones or rules are there or below, so it exists.
        case existsElsewhere(DomainName)
        /// The CNAME that the DNAME before it makes of a name.
        case substituted(DomainName, target: DomainName, ttl: UInt32)
    }

    func record(_ event: Event) { events.append(event) }
}
