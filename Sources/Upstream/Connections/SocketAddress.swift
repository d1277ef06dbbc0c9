package import DNSWire
import Glibc
package import NIOCore
import Sockets

extension SocketAddress {
    /// Creates NIO's form of an address.
    package init(_ address: AddressAndPort) throws {
        guard address.scope.isNone else {
            try self.init(scoped: address)
            return
        }
        try self.init(
            packedIPAddress: ByteBuffer(bytes: address.address.octets),
            port: Int(address.port)
        )
    }

    /// Creates an address with an interface number, which the other initialiser cannot set.
    private init(scoped address: AddressAndPort) throws {
        guard let address = address.resolved else {
            throw SocketError(call: "if_nametoindex", address: address, code: ENODEV)
        }
        let size = SocketName.size
        let name = unsafe withUnsafeTemporaryAllocation(byteCount: size, alignment: 8) { memory in
            // Sound: the memory has the size of the sockaddr_in6 that is written to it.
            let start = unsafe memory.baseAddress.unsafelyUnwrapped
            _ = unsafe SocketName.write(address, to: start)
            return unsafe start.load(as: sockaddr_in6.self)
        }
        self.init(name, host: "\(address.address)")
    }
}
