import Glibc

/// Where a reader gets the octets of a file from: the disk, or a table in a test.
package protocol FileLoader: Sendable {
    /// The whole file at `path`; the error's description is text for people.
    func octets(of path: String) throws -> [UInt8]

    /// The one true path of a file or directory: absolute, and without symbolic links where there are any.
    func resolved(_ path: String) throws -> String

    /// True once nobody wants what is being read any more.
    var isAbandoned: Bool { get }

    /// The permissions of a file, as `chmod` has them; nil where there are none.
    func permissions(of path: String) -> UInt32?
}

extension FileLoader {
    /// For a loader without links: the path itself.
    package func resolved(_ path: String) throws -> String { path }

    /// For a loader whose files are always wanted.
    package var isAbandoned: Bool { false }

    /// For a loader without permissions.
    package func permissions(of path: String) -> UInt32? { nil }
}

/// Reads regular files from the disk.
package struct DiskFileLoader: FileLoader {
    /// The largest file that is read: a zone's octets are counted with 32 bits.
    private static let sizeLimit = 1 << 31

    /// Octets of one read: a kernel that is not preempted gives its core to nobody else meanwhile.
    private static let pieceSize = 1 << 17

    private let abandoned: @Sendable () -> Bool

    /// Reads files until `isAbandoned` says that nobody wants them any more.
    package init(isAbandoned: @escaping @Sendable () -> Bool = { false }) {
        abandoned = isAbandoned
    }

    package var isAbandoned: Bool { abandoned() }

    package func octets(of path: String) throws -> [UInt8] {
        // Without O_NONBLOCK, opening a named pipe would wait for a writer.
        let descriptor = unsafe path.withCString {
            unsafe open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        }
        guard descriptor >= 0 else { throw FileFault.last("cannot be opened") }
        defer { close(descriptor) }
        var status = stat()
        // Sound: `status` is ours and outlives the call.
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw FileFault.last("cannot be examined")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw FileFault(description: "is not a regular file")
        }
        guard status.st_size < Self.sizeLimit else {
            throw FileFault(description: "is larger than 2 GiB")
        }
        return try Self.octets(from: descriptor, expecting: Int(status.st_size))
    }

    private static func octets(from descriptor: Int32, expecting size: Int) throws -> [UInt8] {
        var fault: FileFault?
        // Sound: each read stays within the buffer, and `count` octets of it are initialised by then.
        let octets = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let rest = unsafe buffer.baseAddress.map { unsafe $0 + count }
                let piece = min(size - count, pieceSize)
                let length = unsafe Glibc.read(descriptor, rest, piece)
                if length < 0, errno == EINTR { continue }
                if length < 0 { fault = .last("cannot be read") }
                if length <= 0 { return }
                count += length
            }
        }
        if let fault { throw fault }
        return octets
    }

    package func resolved(_ path: String) throws -> String {
        // Sound: realpath returns nil or a text ending in NUL, made with malloc and ours to free.
        guard let real = unsafe path.withCString({ unsafe realpath($0, nil) }) else {
            throw FileFault.last("cannot be found")
        }
        defer { unsafe free(real) }
        return unsafe String(cString: real)
    }

    package func permissions(of path: String) -> UInt32? {
        var status = stat()
        // Sound: `status` is ours and outlives the call.
        return unsafe stat(path, &status) == 0 ? status.st_mode & 0o7777 : nil
    }
}

/// Why a file cannot be had: `cannot be opened: Permission denied`.
package struct FileFault: Error, CustomStringConvertible {
    package var description: String

    package init(description: String) { self.description = description }

    static func last(_ what: String) -> FileFault {
        let code = errno
        var text = [CChar](repeating: 0, count: 256)
        // Sound: the system writes at most 256 octets, NUL included.
        let status = unsafe strerror_r(code, &text, text.count)
        let reason = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let shown = status == 0 ? String(decoding: reason, as: UTF8.self) : "error \(code)"
        return FileFault(description: "\(what): \(shown)")
    }
}
