public import DNSWire
public import Snapshot

/// The decisions of the stages about one query, in order; `explain` prints them.
///
/// The server's pipelines have no trace, so a decision costs them one comparison with nil.
public final class Trace {
    public private(set) var events: [Event] = []

    public init() {}

    public enum Event {
        /// The client's class.
        case classified(ClientClass)
        /// The longest match for a name.
        case routed(DomainName, Route?)
        /// The match of a name in a private zone.
        case matched(DomainName, CompiledZone, ZoneMatch)
        /// An RRset of a private zone, and which of its records this client gets.
        case answered(DomainName, CompiledZone, RRset, Selection)
        /// The servers of a zone's delegation answer for a name: the cut, and its NS records.
        case delegated(DomainName, cut: DomainName, CompiledZone, RRset)
        /// A zone has the name but not the type, and falls through.
        case typePassedOn(DomainName, RecordType)
        /// A zone lacks the name, but it exists, since other zones or rules are at or below it.
        case existsElsewhere(DomainName)
        /// The CNAME that the DNAME before it makes of a name.
        case substituted(DomainName, target: DomainName, ttl: UInt32)
    }

    func record(_ event: Event) { events.append(event) }
}
