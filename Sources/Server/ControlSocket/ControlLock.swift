import Glibc

/// The right to a control socket's path: the lock of a file beside it, held as long as this lives.
///
/// The kernel gives it back when the process ends, however it ends, so a socket without a holder is a
/// left-over and a socket with one is in use.
final class ControlLock: Sendable {
    private let descriptor: Int32

    init(for path: String) throws(ControlError) {
        // Sound, here and below: the string lives until the call returns.
        let flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW
        descriptor = unsafe open(path + ".lock", flags, 0o600)
        guard descriptor >= 0 else {
            throw ControlError("\(path) cannot be made: \(Self.reason())")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw ControlError("\(path) is another server's; set `control` to a path of its own")
        }
        guard let status = FileStatus(of: path) else { return }
        guard status.isSocket, unsafe unlink(path) == 0 else {
            close(descriptor)
            throw ControlError("\(path) is no left-over socket; remove it or set `control`")
        }
    }

    deinit { close(descriptor) }

    private static func reason() -> String { unsafe String(cString: strerror(errorNumber())) }
}
