package import Resolver

/// A query that came over a connection, on its way to a worker.
package struct StreamQuery: Sendable {
    /// The whole message, without the two octets of length.
    package var message: [UInt8]
    package var client: Client
    /// Takes the reply, or nil if there is none to send; called exactly once, on a worker's thread
    /// or, if the workers have ended, on the poster's.
    package var respond: @Sendable ([UInt8]?) -> Void

    package init(
        message: [UInt8],
        client: Client,
        respond: @escaping @Sendable ([UInt8]?) -> Void
    ) {
        self.message = message
        self.client = client
        self.respond = respond
    }
}
