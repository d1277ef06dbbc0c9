import Glibc

/// The path of a server's control socket, and the conditions on that path.
package struct ControlPlace: Hashable, Sendable {
    package var path: String
    /// True if the configuration names the path.
    ///
    /// The server then does not start without the socket.
    package var isRequired: Bool
    /// The path of a link to the socket, for commands that do not know `path`; nil for no link.
    package var linkPath: String?

    package init(path: String, isRequired: Bool, linkPath: String? = nil) {
        self.path = path
        self.isRequired = isRequired
        self.linkPath = linkPath
    }

    /// The default place for the configuration at `path`, unique to that file.
    ///
    /// The folder is one that only this user can write to. The path is made absolute, but its
    /// symbolic links are not resolved: their targets may change while the server runs, as those of
    /// a ConfigMap do at each update.
    package static func standard(forConfiguration path: String) -> ControlPlace {
        standard(named: absolute(path))
    }

    /// The default place in earlier versions, which resolved symbolic links in the path.
    package static func former(forConfiguration path: String) -> ControlPlace {
        standard(named: resolved(path))
    }

    private static func standard(named path: String) -> ControlPlace {
        ControlPlace(path: "\(standardFolder)/\(fingerprint(of: path))", isRequired: false)
    }

    /// The control sockets and links to control sockets in the default folder.
    ///
    /// Some may belong to servers that no longer run. Of entries that lead to the same socket, the
    /// list has one.
    package static func standardSockets() -> [ControlPlace] {
        // Sound, here and below: the stream is open, and each name is copied before the next is
        // read.
        guard let folder = unsafe opendir(standardFolder) else { return [] }
        defer { unsafe closedir(folder) }
        var paths: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
                unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(suffix) { paths.append("\(standardFolder)/\(name)") }
        }
        var sockets: Set<String> = []
        return paths.sorted().filter { sockets.insert(resolved($0)).inserted }
            .map { ControlPlace(path: $0, isRequired: false) }
    }

    private static let suffix = ".control"

    /// The folder for sockets of servers that the system starts.
    static let systemFolder = "/run/zonal"

    private static var standardFolder: String {
        let own = getuid() == 0 || FileStatus(of: systemFolder)?.owner == getuid()
        if own { return systemFolder }
        // Sound: the name is a literal, and the text found is copied at once.
        if let folder = unsafe getenv("XDG_RUNTIME_DIR").map({ unsafe String(cString: $0) }),
            folder.hasPrefix("/"), folder.utf8.count < 64
        {
            return folder + "/zonal"
        }
        return "/tmp/zonal-\(getuid())"
    }

    /// The FNV-1a hash of the text, which is the same in every process.
    private static func fingerprint(of text: String) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for octet in text.utf8 { hash = (hash ^ UInt64(octet)) &* 0x100_0000_01B3 }
        return String(hash, radix: 16) + suffix
    }

    /// The absolute path without `.` and `..`; symbolic links are not resolved.
    static func absolute(_ path: String) -> String {
        let whole = path.hasPrefix("/") ? path : "\(workingFolder)/\(path)"
        var parts: [Substring] = []
        for part in whole.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// The working folder by the name in PWD (POSIX `pwd -L`), if that is still its name.
    private static var workingFolder: String {
        // Sound, here and below: the names are literals, and the texts found are copied at once.
        if let name = unsafe getenv("PWD").map({ unsafe String(cString: $0) }), name.hasPrefix("/"),
            let here = FileStatus(following: "."), here.isSameFile(as: FileStatus(following: name))
        {
            return name
        }
        guard let found = unsafe getcwd(nil, 0) else { return "/" }
        defer { unsafe free(found) }
        return unsafe String(cString: found)
    }

    private static func resolved(_ path: String) -> String {
        // Sound: realpath allocates its result, which is copied and then freed once.
        guard let found = unsafe realpath(path, nil) else { return path }
        defer { unsafe free(found) }
        return unsafe String(cString: found)
    }

    var folder: String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Makes the folder if it is the default one, and checks that no other user can replace the
    /// socket.
    func prepareFolder() throws(ControlError) {
        if !isRequired { _ = unsafe mkdir(folder, 0o700) }
        guard let status = FileStatus(of: folder), status.isFolder else {
            throw ControlError(
                "\(folder) is not a folder; create it, or set `control` to another path"
            )
        }
        guard status.owner == getuid() || status.owner == 0 else {
            throw ControlError(
                "\(folder) belongs to another user; set `control` to a path in a folder of the server's user"
            )
        }
        guard !status.isWritableByOthers || status.isSticky else {
            throw ControlError("others can write to \(folder); remove that permission (chmod go-w)")
        }
    }
}

/// Why the server has no control socket.
package struct ControlError: Error, CustomStringConvertible {
    /// The problem, then `; `, then what to do.
    package var description: String

    init(_ description: String) { self.description = description }
}
