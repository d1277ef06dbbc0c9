import CSockets
import Glibc

/// Decides whether a command may trust the server at a control socket.
///
/// Any user who can write to the socket's folder can put a socket there. Therefore the server must
/// run as the command's user or as root.
///
/// If no configuration names the socket, no other user may have write access to its folder. A link
/// there, and the socket that it leads to, must belong to the command's user or to root.
///
/// A command that runs as root also trusts a server of another user, on two conditions. Only that
/// user or root can write to the folder, and the folder is named by a configuration or is
/// `/run/zonal`. In `/run/zonal` it also follows links of the folder's owner.
package struct ControlTrust {
    private let place: ControlPlace
    private let own = getuid()

    package init(_ place: ControlPlace) { self.place = place }

    /// Why no socket in the folder can be trusted; nil if one can.
    ///
    /// It is known before connecting.
    package var folderFault: String? {
        guard !place.isRequired, let status = FileStatus(of: place.folder) else { return nil }
        guard status.isFolder else {
            return "\(place.folder) is not a folder; remove it, or set `control`"
        }
        if status.isWritableByOthers {
            return
                "others can write to \(place.folder), so no server in it is trusted; remove that permission (chmod 700), or set `control`"
        }
        guard status.owner == own || status.owner == 0 || own == 0 && isSystemFolder else {
            return
                "\(place.folder) belongs to another user (\(status.owner)), so no server in it is trusted; set `control`"
        }
        return nil
    }

    /// Why the link at the place must not be followed; nil if it may be followed or does not exist.
    package var linkFault: String? {
        guard !place.isRequired, let link = FileStatus(of: place.path), link.isLink else {
            return nil
        }
        let owners = [link, FileStatus(following: place.path)].compactMap { $0?.owner }
        guard let other = owners.first(where: { !mayOwnLink($0) }) else { return nil }
        return
            "\(place.path) or the socket that it links to belongs to another user (\(other)), who is not trusted; remove it, or set `control`"
    }

    private func mayOwnLink(_ user: uid_t) -> Bool {
        if user == own || user == 0 { return true }
        return own == 0 && isSystemFolder && user == FileStatus(of: place.folder)?.owner
    }

    /// Why the peer of a connected socket cannot be trusted; nil if it can.
    package func peerFault(of descriptor: Int32) -> String? {
        guard let peer = Self.user(of: descriptor) else {
            return
                "the system does not report which user serves \(place.path); set `control` to another path"
        }
        if peer == own || peer == 0 { return nil }
        let advice =
            "run the command as that user, or set `control` to a path in a folder of that user"
        guard own == 0, place.isRequired || isSystemFolder,
            let status = FileStatus(of: place.folder), status.isFolder,
            status.owner == peer || status.owner == 0, !status.isWritableByOthers
        else {
            return
                "\(place.path) is served by another user (\(peer)), who is not trusted; \(advice)"
        }
        return nil
    }

    private var isSystemFolder: Bool { place.folder == ControlPlace.systemFolder }

    /// The peer's user, which the kernel reports; nil on failure.
    static func user(of descriptor: Int32) -> uid_t? {
        var credentials = csockets_credentials()
        var size = socklen_t(MemoryLayout<csockets_credentials>.size)
        // Sound: both outlive the call, and the size is the structure's.
        let status = unsafe getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size)
        return status == 0 ? credentials.user : nil
    }
}
