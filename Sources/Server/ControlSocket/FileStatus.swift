import Glibc

/// The metadata of a file (stat(2)).
struct FileStatus {
    let owner: uid_t
    private let mode: mode_t
    private let place: (device: dev_t, number: ino_t)

    /// Reads the status of `path`, of a symbolic link itself; nil if there is no such file.
    init?(of path: String) {
        var status = stat()
        // Sound: the string stays alive until the call returns, and the structure outlives the
        // call.
        guard unsafe lstat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    /// Reads the status of the file that `path` leads to through symbolic links; nil if there is
    /// none.
    init?(following path: String) {
        var status = stat()
        // Sound: as above.
        guard unsafe stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    init?(of descriptor: Int32) {
        var status = stat()
        // Sound: the structure outlives the call.
        guard unsafe fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    private init(_ status: stat) {
        owner = status.st_uid
        mode = status.st_mode
        place = (status.st_dev, status.st_ino)
    }

    func isSameFile(as other: FileStatus?) -> Bool { other.map { $0.place == place } ?? false }

    var isFolder: Bool { mode & S_IFMT == S_IFDIR }
    var isLink: Bool { mode & S_IFMT == S_IFLNK }
    var isSocket: Bool { mode & S_IFMT == S_IFSOCK }
    var isWritableByOthers: Bool { mode & 0o022 != 0 }
    var isSticky: Bool { mode & S_ISVTX != 0 }
}
