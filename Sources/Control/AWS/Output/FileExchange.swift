import CFiles
import Glibc

/// The file system calls for replacing a folder; paths are NUL-terminated arrays.
enum FileExchange {
    // Sound, here and below: each path is NUL-terminated and valid until the call returns.

    // MARK: Exchange

    static func swap(_ one: String, _ other: String) throws(FileFault) {
        guard unsafe cfiles_exchange(one, other) == 0 else {
            throw .last("\(other) cannot be replaced")
        }
    }

    /// Moves a file to a path that must not exist.
    static func move(_ path: [CChar], to target: [CChar]) throws(FileFault) {
        guard unsafe cfiles_move(path, target) == 0 else {
            throw .last("\(text(target)) cannot be made")
        }
    }

    /// Renames a file over another one, which is removed.
    static func replace(_ target: [CChar], by path: [CChar]) { _ = unsafe rename(path, target) }

    /// Makes a hard link to a file of any kind; returns false if that is impossible.
    static func link(_ path: [CChar], to target: [CChar]) -> Bool {
        unsafe linkat(AT_FDCWD, path, AT_FDCWD, target, 0) == 0
    }

    // MARK: Files

    /// Reads the first octets of a regular file; nil if it is not regular or not readable.
    static func head(of path: [CChar]) -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return nil
        }
        var octets = [UInt8](repeating: 0, count: 256)
        // Sound: the kernel writes at most the array's size.
        let count = unsafe read(descriptor, &octets, octets.count)
        return count < 0 ? nil : Array(octets[..<count])
    }

    static func write(_ octets: [UInt8], to path: [CChar], _ mode: mode_t) throws(FileFault) {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
        let descriptor = unsafe open(path, flags, mode)
        guard descriptor >= 0 else { throw .last("\(text(path)) cannot be written") }
        defer { close(descriptor) }
        var rest = octets[...]
        while !rest.isEmpty {
            // Sound: the pointer covers `rest`, which does not change during the call.
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .last("\(text(path)) cannot be written") }
            rest = rest.dropFirst(count)
        }
    }

    /// Copies owner, mode and attributes of an old file to its new version.
    static func copyMetadata(
        _ path: [CChar],
        like entry: FolderScan.Entry,
        at old: [CChar]
    ) throws(FileFault) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { throw .last("\(text(path)) is gone") }
        let owner = entry.owner
        if (status.st_uid, status.st_gid) != (owner.user, owner.group) {
            guard unsafe lchown(path, owner.user, owner.group) == 0 else {
                throw .last("\(text(old)) cannot keep its owner \(owner.user):\(owner.group)")
            }
        }
        guard unsafe cfiles_copy_attributes(old, path) == 0 else {
            throw .last("\(text(old)) cannot keep its extended attributes")
        }
        guard unsafe chmod(path, owner.mode) == 0 else {
            throw .last("\(text(old)) cannot keep its mode")
        }
    }

    // MARK: Folders

    /// Makes a folder with an unused name beside another one.
    static func makeFolder(
        besides target: String,
        isPrivate: Bool
    ) throws(FileFault) -> String {
        for attempt in 0..<100 {
            let path = "\(target).next-\(getpid())\(attempt == 0 ? "" : "-\(attempt)")"
            if unsafe mkdir(path, isPrivate ? 0o700 : 0o755) == 0 { return path }
            guard errno == EEXIST else { throw .last("\(path) cannot be made") }
        }
        throw FileFault(description: "all names \(target).next-… are in use; remove these folders")
    }

    static func makeFolder(_ path: [CChar], _ mode: mode_t) throws(FileFault) {
        guard unsafe mkdir(path, mode) == 0 else { throw .last("\(text(path)) cannot be made") }
    }

    /// Adds the permissions needed to remove names from a folder that will be deleted.
    static func openFolder(_ path: [CChar]) {
        if unsafe access(path, W_OK | X_OK) != 0 { _ = unsafe chmod(path, 0o700) }
    }

    static func removeName(_ path: [CChar]) { _ = unsafe unlink(path) }

    static func removeFolder(_ path: [CChar]) { _ = unsafe rmdir(path) }

    /// Removes the folders of a scan that are empty.
    static func removeFolders(_ scan: FolderScan, of folder: String) {
        for entry in scan.entries.reversed() where entry.kind == .folder {
            removeFolder(entry.path.inside(folder))
        }
    }

    /// Removes a folder tree that this import created and nothing uses.
    static func removeTree(_ folder: String) {
        guard let scan = try? FolderScan(of: folder) else { return }
        for entry in scan.entries.reversed() where entry.kind != .folder {
            openFolder(entry.path.parent.inside(folder))
            removeName(entry.path.inside(folder))
        }
        removeFolders(scan, of: folder)
    }

    // MARK: The disk

    static func syncAll(below folder: String) throws(FileFault) {
        let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last("\(folder) cannot be opened") }
        defer { close(descriptor) }
        guard cfiles_sync(descriptor) == 0 else { throw .last("\(folder) cannot be written") }
    }

    static func sync(folder: String) {
        let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        _ = fsync(descriptor)
        close(descriptor)
    }

    private static func text(_ path: [CChar]) -> String {
        String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
