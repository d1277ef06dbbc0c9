package import DNSWire
package import Snapshot

/// The path of a query, a stage a line; each thread owns one.
///
/// Holds the memory that a query needs on its way, so that none is allocated per query. It has no
/// socket and no clock: the message, the time and the snapshot are passed in.
package struct Pipeline: ~Copyable {
    /// After `.forward`: the name to ask upstream.
    package private(set) var upstreamName: FoldedName

    /// `seed` is the process's one: the snapshot's and the cache's hashes are keyed with it, too.
    package init(seed: HashSeed) {
        upstreamName = FoldedName(seed: seed)
    }

    /// Decides about one message from a client; on `.reply` the answer stands in `reply`.
    ///
    /// `now` is in seconds of the process's steady clock. The writer's limit on entry is what the
    /// transport carries; the pipeline lowers it to what the client takes.
    package mutating func answer(
        _ message: Span<UInt8>,
        from client: Client,
        in snapshot: borrowing CompiledSnapshot,
        knowing resolution: borrowing Resolution,
        now: UInt32,
        into reply: inout ReplyWriter
    ) -> Verdict {
        .drop(.tooShort)
    }
}
