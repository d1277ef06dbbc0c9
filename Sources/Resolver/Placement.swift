public import Snapshot

/// What a snapshot says about a query: the client's class, and the route of the queried name.
///
/// It is used again whenever the query is answered from the same snapshot.
public struct Placement: Sendable, BitwiseCopyable {
    /// The client's class.
    public let asker: ClientClass
    let route: Route?
}
