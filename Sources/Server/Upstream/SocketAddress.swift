import DNSWire
import NIOCore

extension SocketAddress {
    /// The address as NIO wants it.
    init(_ address: AddressAndPort) throws {
        try self.init(
            packedIPAddress: ByteBuffer(bytes: address.address.octets),
            port: Int(address.port)
        )
    }
}
