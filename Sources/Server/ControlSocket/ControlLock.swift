import Glibc
import Sockets

/// The lock on a control socket's path: a locked file beside the socket, held for this object's
/// life.
///
/// The kernel releases the lock whenever the process ends. A socket whose lock is free is therefore
/// a leftover, and a socket whose lock is held is in use.
final class ControlLock: Sendable {
    private let descriptor: Int32
    private let path: String

    init(for place: ControlPlace) throws(ControlError) {
        let socket = place.path
        path = socket + ".lock"
        descriptor = try Self.take(path, for: socket)
        guard let status = FileStatus(of: socket) else { return }
        // Sound: the string stays alive until the call returns.
        guard status.isSocket || status.isLink && !place.isRequired, unsafe unlink(socket) == 0
        else {
            throw ControlError(
                "\(socket) is not a leftover socket; remove it, or set `control` to another path"
            )
        }
    }

    /// Opens and locks the file, and retries if the previous holder removed the file in between.
    private static func take(_ path: String, for socket: String) throws(ControlError) -> Int32 {
        while true {
            // Sound, here and below: the string stays alive until the call returns.
            let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard descriptor >= 0 else {
                let reason = unsafe String(cString: strerror(errorNumber()))
                throw ControlError(
                    "cannot create \(path): \(reason); set `control` to another path"
                )
            }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                close(descriptor)
                throw ControlError(
                    "\(socket) is in use by another server; set `control` to another path"
                )
            }
            if let held = FileStatus(of: descriptor), held.isSameFile(as: FileStatus(of: path)) {
                return descriptor
            }
            close(descriptor)
        }
    }

    /// Removes the lock file; the lock itself is held until this object is freed.
    func removeFile() {
        // Sound: the string stays alive until the call returns.
        _ = unsafe unlink(path)
    }

    deinit { close(descriptor) }
}
