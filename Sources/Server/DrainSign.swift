import CSockets
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
        // Sound: the name lives as long as the call.
        let result = unsafe Self.with(address) { unsafe Glibc.bind(descriptor, $0, $1) }
        guard result == 0, listen(descriptor, 16) == 0 else {
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
        // Sound: as above.
        let result = unsafe with(address) { unsafe Glibc.connect(descriptor, $0, $1) }
        return result == 0 && ControlTrust.user(of: descriptor) == geteuid()
    }

    /// What `call` returns for the name that stands for a listener.
    private static func with(
        _ address: AddressAndPort,
        _ call: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        let text = Array("zonal draining \(address)".utf8)
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        // The first octet stays 0: the name is no file's.
        unsafe withUnsafeMutableBytes(of: &name.sun_path) { path in
            for (index, octet) in text.prefix(path.count - 1).enumerated() {
                unsafe path[index + 1] = octet
            }
        }
        let length = MemoryLayout<sa_family_t>.size + 1 + text.count
        // Sound: the name outlives the call, which reads no more than the structure has.
        return unsafe withUnsafePointer(to: &name) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe call($0, socklen_t(min(length, MemoryLayout<sockaddr_un>.size)))
            }
        }
    }
}
