import CSockets
import DNSWire
import Glibc

/// Says in this network that a server of this user is about to end, so that a successor may share its ports.
///
/// A listening socket with a name that is no file (unix(7), abstract): it ends with its process, however that ends,
/// and the kernel says whose it is.
final class DrainSign: Sendable {
    private let descriptor: Int32

    /// Puts the sign up for a listener; nil if that cannot be.
    init?(for address: AddressAndPort) {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { return nil }
        guard UnixSocketName.bind(descriptor, to: Self.name(of: address)) == 0,
            listen(descriptor, 16) == 0
        else {
            _ = close(descriptor)
            return nil
        }
    }

    deinit { _ = close(descriptor) }

    /// Whether a server of this user has put it up for a listener.
    static func isUp(for address: AddressAndPort) -> Bool {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { return false }
        defer { _ = close(descriptor) }
        return UnixSocketName.connect(descriptor, to: name(of: address)) == 0
            && ControlTrust.user(of: descriptor) == geteuid()
    }

    /// The name that stands for a listener, which is no file's.
    private static func name(of address: AddressAndPort) -> [UInt8] {
        [0] + "zonal draining \(address)".utf8
    }
}
