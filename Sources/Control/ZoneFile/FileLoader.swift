/// Where a reader gets the octets of a file from: the disk, or a table in a test.
package protocol FileLoader: Sendable {
    /// The whole file at `path`; the error's description is text for people.
    func octets(of path: String) throws -> [UInt8]
}

/// Reads files from the disk.
package struct DiskFileLoader: FileLoader {
    package init() {}

    package func octets(of path: String) throws -> [UInt8] { [] }
}
