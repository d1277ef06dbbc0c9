import Glibc

/// A symbolic link from a configuration's standard path to the socket that the configuration names.
///
/// It lets commands find the server when the configuration no longer names its socket: the file is
/// broken, or `control` has changed.
final class ControlLink: Sendable {
    private let path: String
    private let lock: ControlLock

    /// Makes the link, and replaces one that a server that no longer runs has left.
    init(at place: ControlPlace, to socket: String) throws(ControlError) {
        try place.prepareFolder()
        // Commands would not follow a link in this folder.
        if let fault = ControlTrust(place).folderFault { throw ControlError(fault) }
        path = place.path
        lock = try ControlLock(for: place)
        // Sound, here and below: the strings stay alive until the call returns.
        guard unsafe symlink(ControlPlace.absolute(socket), path) == 0 else {
            let reason = unsafe String(cString: strerror(errno))
            lock.removeFile()
            throw ControlError("cannot create \(path): \(reason)")
        }
    }

    /// Removes the link.
    ///
    /// This server holds the lock, so the link is its own.
    func remove() {
        // Sound: as above.
        _ = unsafe unlink(path)
        lock.removeFile()
    }
}
