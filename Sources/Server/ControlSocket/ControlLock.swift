import Glibc
import Sockets

/// The right to a control socket's path: the lock of a file beside it, held as long as this lives.
///
/// The kernel gives it back when the process ends, however it ends, so a socket without a holder is a
/// left-over and a socket with one is in use.
final class ControlLock: Sendable {
    private let descriptor: Int32
    private let path: String

    init(for place: ControlPlace) throws(ControlError) {
        let socket = place.path
        path = socket + ".lock"
        descriptor = try Self.take(path, for: socket)
        guard let status = FileStatus(of: socket) else { return }
        // Sound: the string lives until the call returns.
        guard status.isSocket || status.isLink && !place.isRequired, unsafe unlink(socket) == 0
        else {
            throw ControlError("\(socket) is no left-over socket; remove it or set `control`")
        }
    }

    /// Goes on while a holder who ends takes its file away under our hands.
    private static func take(_ path: String, for socket: String) throws(ControlError) -> Int32 {
        while true {
            // Sound, here and below: the string lives until the call returns.
            let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard descriptor >= 0 else {
                let reason = unsafe String(cString: strerror(errorNumber()))
                throw ControlError("\(path) cannot be made: \(reason); set `control`")
            }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                close(descriptor)
                throw ControlError("\(socket) is another server's; set `control` to another path")
            }
            if let held = FileStatus(of: descriptor), held.isSameFile(as: FileStatus(of: path)) {
                return descriptor
            }
            close(descriptor)
        }
    }

    /// Takes the file away; the right itself ends with this object.
    func removeFile() {
        // Sound: the string lives until the call returns.
        _ = unsafe unlink(path)
    }

    deinit { close(descriptor) }
}
