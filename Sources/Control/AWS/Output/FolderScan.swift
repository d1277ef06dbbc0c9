import Glibc

/// A path below a folder, in the octets of the file system, which need not be text.
struct RawPath: Hashable {
    private(set) var octets: [UInt8]

    /// The folder itself.
    static let root = RawPath(octets: [])

    private init(octets: [UInt8]) { self.octets = octets }

    init(_ text: String) { octets = Array(text.utf8) }

    func appending(_ name: [UInt8]) -> RawPath {
        RawPath(octets: octets.isEmpty ? name : octets + [slash] + name)
    }

    /// The folder that holds it; the root's is the root.
    var parent: RawPath { RawPath(octets: Array(octets[..<(octets.lastIndex(of: slash) ?? 0)])) }

    /// The path from the current folder, as system calls take it.
    func inside(_ folder: String) -> [CChar] {
        let path = octets.isEmpty ? Array(folder.utf8) : Array(folder.utf8) + [slash] + octets
        return path.map { CChar(bitPattern: $0) } + [0]
    }

    var text: String { String(decoding: octets, as: UTF8.self) }

    private var slash: UInt8 { UInt8(ascii: "/") }
}

/// Everything in a folder and below it, as it is and with nothing opened but folders.
struct FolderScan {
    /// The folder itself, and parents before what they hold; none if there is no folder.
    private(set) var entries: [Entry] = []

    /// A name in a folder.
    struct Entry {
        var path: RawPath
        var kind: Kind
        /// Who owns it, and what others may do.
        var owner: (user: uid_t, group: gid_t, mode: mode_t)
        /// Which of the file system's objects it is.
        fileprivate var object: (device: dev_t, number: ino_t)

        func isSame(as other: Entry) -> Bool { object == other.object }
    }

    enum Kind {
        case folder
        case regularFile
        /// A link, a pipe, a socket or a device.
        case special
        /// A folder that cannot be looked into: another file system's, or closed to us.
        case closedFolder
    }

    /// Reads the folder at a path; links in it are not followed.
    init(of folder: String) throws(FileFault) {
        guard let root = Self.entry(.root, in: folder) else {
            if errno == ENOENT { return }
            throw .last("\(folder) cannot be examined")
        }
        guard root.kind == .folder else {
            throw FileFault(description: "\(folder) cannot be read as a folder; name one")
        }
        entries = [root]
        var next = 0
        while next < entries.count {
            if entries[next].kind == .folder { try look(into: next, of: folder) }
            next += 1
        }
    }

    /// True if the folder that was read, or none if there was none, is what stands at a path.
    func isAt(_ folder: String) -> Bool {
        let now = Self.entry(.root, in: folder)
        guard let root = entries.first else { return now == nil }
        return now.map { $0.isSame(as: root) } ?? false
    }

    /// An entry at a path of a folder; nil if there is none.
    static func entry(_ path: RawPath, in folder: String) -> Entry? {
        var status = stat()
        // Sound: the path is an array that ends in NUL, and the structure outlives the call.
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
            guard index > 0 else { throw .last("\(folder) cannot be read as a folder") }
            entries[index].kind = .closedFolder
            return
        }
        for name in names {
            guard let found = Self.entry(entry.path.appending(name), in: folder) else { continue }
            entries.append(found)
        }
    }

    /// The names in a folder, sorted; nil if it cannot be read.
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
