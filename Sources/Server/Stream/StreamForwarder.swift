package import Resolver

/// Forwards TCP queries that need an upstream to the worker that owns the question.
///
/// `respond` is called once, on any thread, with the complete response without its length prefix.
/// Nil closes the connection without a response.
package protocol StreamForwarder: Sendable {
    func forward(
        _ message: [UInt8],
        from client: Client,
        asking: Asking,
        respond: @escaping @Sendable ([UInt8]?) -> Void
    )

    /// Refreshes the cached answer of a question; no client waits for it.
    func refresh(_ asking: Asking)
}
