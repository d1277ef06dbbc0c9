import CSockets
import DNSWire
import Glibc

/// Announces that a server of this user is about to end, so that a successor may share its ports.
///
/// The announcement is a listening socket with an abstract name (unix(7)), which only processes in
/// this network namespace see. It ends with its process in any case, and the kernel reports its
/// owner.
final class DrainSign: Sendable {
    private let descriptor: Int32

    /// Announces the end of the listener at `address`; nil on failure.
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

    /// True if a server of this user has announced its end for the listener at `address`.
    static func isUp(for address: AddressAndPort) -> Bool {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { return false }
        defer { _ = close(descriptor) }
        return UnixSocketName.connect(descriptor, to: name(of: address)) == 0
            && ControlTrust.user(of: descriptor) == geteuid()
    }

    /// The abstract socket name for a listener.
    ///
    /// The leading zero makes it abstract.
    private static func name(of address: AddressAndPort) -> [UInt8] {
        [0] + "zonal draining \(address)".utf8
    }
}
