import Glibc

/// A path below a folder, as octets; the file system does not require UTF-8.
struct RawPath: Hashable {
    private(set) var octets: [UInt8]

    /// The folder itself.
    static let root = RawPath(octets: [])

    private init(octets: [UInt8]) { self.octets = octets }

    init(_ text: String) { octets = Array(text.utf8) }

    func appending(_ name: [UInt8]) -> RawPath {
        RawPath(octets: octets.isEmpty ? name : octets + [slash] + name)
    }

    /// The parent path; the root is its own parent.
    var parent: RawPath { RawPath(octets: Array(octets[..<(octets.lastIndex(of: slash) ?? 0)])) }

    /// Returns the path prefixed with the folder, NUL-terminated for system calls.
    func inside(_ folder: String) -> [CChar] {
        let path = octets.isEmpty ? Array(folder.utf8) : Array(folder.utf8) + [slash] + octets
        return path.map { CChar(bitPattern: $0) } + [0]
    }

    var text: String { String(decoding: octets, as: UTF8.self) }

    private var slash: UInt8 { UInt8(ascii: "/") }
}

/// Lists everything in and below a folder; opens nothing but folders.
struct FolderScan {
    /// The folder and all entries, parents first; empty if the folder does not exist.
    private(set) var entries: [Entry] = []

    /// An entry of a folder.
    struct Entry {
        var path: RawPath
        var kind: Kind
        /// The owner and the permission bits.
        var owner: (user: uid_t, group: gid_t, mode: mode_t)
        /// The device and inode number.
        fileprivate var object: (device: dev_t, number: ino_t)

        func isSame(as other: Entry) -> Bool { object == other.object }
    }

    enum Kind {
        case folder
        case regularFile
        /// A symbolic link, pipe, socket or device.
        case special
        /// A folder that is not scanned: a mount point, or not readable.
        case closedFolder
    }

    /// Scans the folder at a path; does not follow symbolic links.
    init(of folder: String) throws(FileFault) {
        guard let root = Self.entry(.root, in: folder) else {
            if errno == ENOENT { return }
            throw .last("\(folder) cannot be examined")
        }
        guard root.kind == .folder else {
            throw FileFault(description: "\(folder) is not a readable folder; name another one")
        }
        entries = [root]
        var next = 0
        while next < entries.count {
            if entries[next].kind == .folder { try look(into: next, of: folder) }
            next += 1
        }
    }

    /// Returns true if the scanned folder, or no folder if none was scanned, is at the path.
    func isAt(_ folder: String) -> Bool {
        let now = Self.entry(.root, in: folder)
        guard let root = entries.first else { return now == nil }
        return now.map { $0.isSame(as: root) } ?? false
    }

    /// Returns the entry at a path below a folder; nil if it does not exist.
    static func entry(_ path: RawPath, in folder: String) -> Entry? {
        var status = stat()
        // Sound: the path is NUL-terminated, and the structure outlives the call.
        guard unsafe lstat(path.inside(folder), &status) == 0 else { return nil }
        let kind: Kind =
            switch status.st_mode & S_IFMT {
            case S_IFDIR: .folder
            case S_IFREG: .regularFile
            default: .special
            }
        return Entry(
            path: path,
            kind: kind,
            owner: (status.st_uid, status.st_gid, status.st_mode & 0o7777),
            object: (status.st_dev, status.st_ino)
        )
    }

    private mutating func look(into index: Int, of folder: String) throws(FileFault) {
        let entry = entries[index]
        guard entry.object.device == entries[0].object.device,
            let names = Self.names(in: entry.path, of: folder)
        else {
            guard index > 0 else { throw .last("\(folder) is not a readable folder") }
            entries[index].kind = .closedFolder
            return
        }
        for name in names {
            guard let found = Self.entry(entry.path.appending(name), in: folder) else { continue }
            entries.append(found)
        }
    }

    /// Returns the names in a folder, sorted; nil if it cannot be read.
    private static func names(in path: RawPath, of folder: String) -> [[UInt8]]? {
        // Sound, here and below: the stream is open, and each name is copied before the next is read.
        guard let stream = unsafe opendir(path.inside(folder)) else { return nil }
        defer { unsafe closedir(stream) }
        var names: [[UInt8]] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
                unsafe Array($0.prefix { $0 != 0 })
            }
            if name != [.dot], name != [.dot, .dot] { names.append(name) }
        }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }
}
