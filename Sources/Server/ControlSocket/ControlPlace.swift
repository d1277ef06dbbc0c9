import Glibc

/// Where a server's control socket is, and what has to hold of that place.
package struct ControlPlace: Hashable, Sendable {
    package var path: String
    /// True where the configuration names it: then a server does not start without it.
    package var isRequired: Bool
    /// Where a link to the socket is to be, for commands that do not know `path`; nil for none.
    package var linkPath: String?

    package init(path: String, isRequired: Bool, linkPath: String? = nil) {
        self.path = path
        self.isRequired = isRequired
        self.linkPath = linkPath
    }

    /// Where the control socket of the configuration at `path` is if it does not say: one for each
    /// configuration file, in a folder that only this user can write to.
    ///
    /// The path as it is written counts, made absolute: where its symbolic links lead may change while the
    /// server runs, as those of a ConfigMap do with each update.
    package static func standard(forConfiguration path: String) -> ControlPlace {
        standard(named: absolute(path))
    }

    /// Where else it may be: servers of earlier versions took the path without symbolic links.
    package static func former(forConfiguration path: String) -> ControlPlace {
        standard(named: resolved(path))
    }

    private static func standard(named path: String) -> ControlPlace {
        ControlPlace(path: "\(standardFolder)/\(fingerprint(of: path))", isRequired: false)
    }

    /// Every control socket that stands where no configuration says, or has a link there, of servers that run or have
    /// run; each once.
    package static func standardSockets() -> [ControlPlace] {
        // Sound, here and below: the stream is open, and each name is copied before the next is read.
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

    /// Where servers of the system have their sockets.
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

    /// FNV-1a, which is the same in every process.
    private static func fingerprint(of text: String) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for octet in text.utf8 { hash = (hash ^ UInt64(octet)) &* 0x100_0000_01B3 }
        return String(hash, radix: 16) + suffix
    }

    /// The path from the root, without `.` and `..`; no link is followed.
    static func absolute(_ path: String) -> String {
        let whole = path.hasPrefix("/") ? path : "\(workingFolder)/\(path)"
        var parts: [Substring] = []
        for part in whole.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// The working folder as the shell calls it (POSIX `pwd -L`), if that is still its name.
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
        // Sound: realpath allocates, and what it returned is copied and then freed once.
        guard let found = unsafe realpath(path, nil) else { return path }
        defer { unsafe free(found) }
        return unsafe String(cString: found)
    }

    var folder: String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Makes the folder if it is the standard one, and checks that nobody else can put another socket
    /// in the place of ours.
    func prepareFolder() throws(ControlError) {
        if !isRequired { _ = unsafe mkdir(folder, 0o700) }
        guard let status = FileStatus(of: folder), status.isFolder else {
            throw ControlError("\(folder) is no folder; make it")
        }
        guard status.owner == getuid() || status.owner == 0 else {
            throw ControlError("\(folder) belongs to another user; choose a folder of this one's")
        }
        guard !status.isWritableByOthers || status.isSticky else {
            throw ControlError("others can write to \(folder); take that right away")
        }
    }
}

/// Why there is no control socket.
package struct ControlError: Error, CustomStringConvertible {
    /// What is wrong, then `; `, then what to do.
    package var description: String

    init(_ description: String) { self.description = description }
}
