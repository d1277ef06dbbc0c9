package import Resolver

/// Where a stream's query goes that needs an upstream: the inbox of the worker that owns the question.
///
/// `respond` is called once, on any thread, with the whole response without its length prefix; nil
/// closes the connection without one.
package protocol StreamForwarder: Sendable {
    func forward(
        _ message: [UInt8],
        from client: Client,
        asking: Asking,
        respond: @escaping @Sendable ([UInt8]?) -> Void
    )

    /// Has a question asked for the cache alone.
    func refresh(_ asking: Asking)
}
