import Glibc

/// A symbolic link at a configuration's standard place, which leads to the socket that the configuration names.
///
/// By it commands find the server where the configuration no longer says where its socket is: it is broken, or the
/// key has changed.
final class ControlLink: Sendable {
    private let path: String
    private let lock: ControlLock

    /// Makes the link, in place of what a server that has ended left there.
    init(at place: ControlPlace, to socket: String) throws(ControlError) {
        try place.prepareFolder()
        // Nobody would follow it.
        if let fault = ControlTrust(place).folderFault { throw ControlError(fault) }
        path = place.path
        lock = try ControlLock(for: place)
        // Sound, here and below: the strings live until the call returns.
        guard unsafe symlink(ControlPlace.absolute(socket), path) == 0 else {
            let reason = unsafe String(cString: strerror(errno))
            lock.removeFile()
            throw ControlError("\(path) cannot be made: \(reason)")
        }
    }

    /// Takes the link away; the lock is held, so it is ours.
    func remove() {
        // Sound: as above.
        _ = unsafe unlink(path)
        lock.removeFile()
    }
}
