public import Snapshot

/// What a snapshot says of a query: who asks, and who answers the asked name.
///
/// Found once for all the times that the query is answered from that snapshot.
public struct Placement: Sendable, BitwiseCopyable {
    /// The client's class.
    public let asker: ClientClass
    let route: Route?
}
