import DNSWire
import Resolver
import Snapshot

/// The client that a datagram comes from, and the start of its DNS message.
struct DatagramOpening: BitwiseCopyable {
    var client: Client
    /// The offset of the message, behind the PROXY header if there is one.
    var start: Int
}

extension DatagramWorker {
    /// Reads the PROXY header at a listener for proxies; nil for a datagram that is dropped and
    /// counted.
    mutating func open(
        _ datagram: Span<UInt8>,
        from peer: DatagramPeer,
        in snapshot: borrowing CompiledSnapshot
    ) -> DatagramOpening? {
        var sender = Client(
            address: peer.peer.address,
            listener: peer.listener,
            transport: .datagram
        )
        sender.mayReplyToReplies = peer.peer.port < 1024 && peer.peer.port != 53
        guard snapshot.takesHeaders(listener: sender.listener) else {
            return DatagramOpening(client: sender, start: 0)
        }
        guard case .awaitsHeader = snapshot.hear(sender) else {
            counts.strangers &+= 1
            return nil
        }
        guard let header = header(of: datagram) else { return nil }
        return DatagramOpening(client: sender.client(named: header), start: header.length)
    }

    private mutating func header(of datagram: Span<UInt8>) -> ProxyHeader? {
        do throws(ProxyHeaderError) {
            if let header = try ProxyHeader.read(datagram) { return header }
        } catch {}
        counts.badProxyHeaders &+= 1
        return nil
    }
}
