import DNSWire
import Resolver
import Snapshot

/// A client whose question could not be answered at once, with all that is needed to answer it later.
package struct WaitingClient: Sendable {
    /// The query as it came.
    var message: [UInt8]
    var client: Client
    /// With whom it shares the room for those who wait.
    var group = ClientGroup.outside
    var route: ReplyRoute
    var resolution = Resolution()
    /// How often the pipeline has asked for an upstream answer, over all workers.
    var steps = 0
    /// When it stops waiting, whatever is still under way.
    var deadline: Milliseconds
    /// When an expired answer is better than more waiting (RFC 8767 §5).
    var staleDue: Milliseconds

    /// The way back to a client.
    enum ReplyRoute: Sendable {
        case datagram(DatagramPeer)
        case stream(@Sendable ([UInt8]?) -> Void)
    }
}

/// Whom a late reply goes to, and from where.
struct DatagramPeer: Sendable, BitwiseCopyable {
    var peer: AddressAndPort
    /// The address that was asked; nil where the socket is bound to it.
    var local: IPAddress?
    /// The interface of a link-local `local`; 0 otherwise.
    var interface: UInt32
    /// Number of the listener whose socket sends.
    var listener: Int
}
