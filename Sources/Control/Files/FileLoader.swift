import Glibc

/// Provides the contents of files: from the disk, or from a table in tests.
package protocol FileLoader: Sendable {
    /// Returns the whole file at `path`; the error's description is readable text.
    func octets(of path: String) throws -> [UInt8]

    /// Returns the canonical absolute path of a file or directory, with symbolic links resolved.
    func resolved(_ path: String) throws -> String

    /// True once the result is no longer needed; the read then stops early.
    var isAbandoned: Bool { get }

    /// Returns the permission bits of a file; nil if unknown.
    func permissions(of path: String) -> UInt32?
}

extension FileLoader {
    /// Returns the path unchanged, for loaders without links.
    package func resolved(_ path: String) throws -> String { path }

    /// Returns false, for loaders that always finish.
    package var isAbandoned: Bool { false }

    /// Returns nil, for loaders without permissions.
    package func permissions(of path: String) -> UInt32? { nil }
}

/// Reads regular files from the disk.
package struct DiskFileLoader: FileLoader {
    /// The size limit of a file in octets: offsets in a zone have 32 bits.
    private static let sizeLimit = 1 << 31

    /// Octets per `read` call.
    ///
    /// Smaller reads let other threads run on a kernel without preemption.
    private static let pieceSize = 1 << 17

    private let abandoned: @Sendable () -> Bool

    /// Makes a loader that stops reading once `isAbandoned` returns true.
    package init(isAbandoned: @escaping @Sendable () -> Bool = { false }) {
        abandoned = isAbandoned
    }

    package var isAbandoned: Bool { abandoned() }

    package func octets(of path: String) throws -> [UInt8] {
        // O_NONBLOCK: opening a named pipe would otherwise wait for a writer.
        let descriptor = unsafe path.withCString {
            unsafe open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        }
        guard descriptor >= 0 else { throw FileFault.last("cannot be opened") }
        defer { close(descriptor) }
        var status = stat()
        // Sound: `status` is a local variable and outlives the call.
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
        // Sound: realpath returns nil or a NUL-terminated string from malloc, which this function
        // frees.
        guard let real = unsafe path.withCString({ unsafe realpath($0, nil) }) else {
            throw FileFault.last("cannot be found")
        }
        defer { unsafe free(real) }
        return unsafe String(cString: real)
    }

    package func permissions(of path: String) -> UInt32? {
        var status = stat()
        // Sound: `status` is a local variable and outlives the call.
        return unsafe stat(path, &status) == 0 ? status.st_mode & 0o7777 : nil
    }
}

/// Why a file cannot be read or written: `cannot be opened: Permission denied`.
package struct FileFault: Error, CustomStringConvertible {
    package var description: String

    package init(description: String) { self.description = description }

    static func last(_ what: String) -> FileFault {
        let code = errno
        var text = [CChar](repeating: 0, count: 256)
        // Sound: strerror_r writes at most 256 octets, including NUL.
        let status = unsafe strerror_r(code, &text, text.count)
        let reason = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let shown = status == 0 ? String(decoding: reason, as: UTF8.self) : "error \(code)"
        return FileFault(description: "\(what): \(shown)")
    }
}
