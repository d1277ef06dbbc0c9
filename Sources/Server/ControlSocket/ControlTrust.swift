import CSockets
import Glibc

/// Whether a command may believe what answers at a control socket.
///
/// Whoever can write to the socket's folder can put a socket of his own there. So the server must run as
/// the command's user or as root; where no configuration names the socket, its folder must be one that
/// nobody else can write to, and a link there, with the socket that it leads to, such a user's. Root finds another user's server too, if that user alone, or root, can write
/// to the folder, and the folder is named by a configuration or is `/run/zonal`.
package struct ControlTrust {
    private let place: ControlPlace
    private let own = getuid()

    package init(_ place: ControlPlace) { self.place = place }

    /// Why nothing in the folder may be believed, known before anybody connects; nil if that is not so.
    package var folderFault: String? {
        guard !place.isRequired, let status = FileStatus(of: place.folder) else { return nil }
        guard status.isFolder else { return "\(place.folder) is no folder; remove it" }
        if status.isWritableByOthers {
            return
                "others can write to \(place.folder), so no server in it is believed; take that right away (chmod 700), or set `control`"
        }
        guard status.owner == own || status.owner == 0 || own == 0 && isSystemFolder else {
            return
                "\(place.folder) belongs to another user (\(status.owner)), so no server in it is believed; set `control`"
        }
        return nil
    }

    /// Why the link at the place may not be followed; nil if it may, or there is none.
    package var linkFault: String? {
        guard !place.isRequired, let link = FileStatus(of: place.path), link.isLink else {
            return nil
        }
        let owners = [link, FileStatus(following: place.path)].compactMap { $0?.owner }
        guard let other = owners.first(where: { !mayOwnLink($0) }) else { return nil }
        return
            "\(place.path) leads to what belongs to another user (\(other)), who is not believed; remove it, or set `control`"
    }

    private func mayOwnLink(_ user: uid_t) -> Bool {
        if user == own || user == 0 { return true }
        return own == 0 && isSystemFolder && user == FileStatus(of: place.folder)?.owner
    }

    /// Why the peer of a connected socket may not be believed; nil if it may.
    package func peerFault(of descriptor: Int32) -> String? {
        guard let peer = Self.user(of: descriptor) else {
            return "the system does not say who serves \(place.path); set `control`"
        }
        if peer == own || peer == 0 { return nil }
        let advice = "ask as that user, or set `control` to a path in a folder that is its own"
        guard own == 0, place.isRequired || isSystemFolder,
            let status = FileStatus(of: place.folder), status.isFolder,
            status.owner == peer || status.owner == 0, !status.isWritableByOthers
        else {
            return
                "\(place.path) is served by another user (\(peer)), who is not believed; \(advice)"
        }
        return nil
    }

    private var isSystemFolder: Bool { place.folder == ControlPlace.systemFolder }

    /// Who is at the other end, as the kernel knows it.
    static func user(of descriptor: Int32) -> uid_t? {
        var credentials = csockets_credentials()
        var size = socklen_t(MemoryLayout<csockets_credentials>.size)
        // Sound: both outlive the call, and the size is the structure's.
        let status = unsafe getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size)
        return status == 0 ? credentials.user : nil
    }
}
