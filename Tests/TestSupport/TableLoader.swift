import Control

/// Files that exist only in a test.
package struct TableLoader: FileLoader {
    package var files: [String: [UInt8]]

    package init(files: [String: [UInt8]]) { self.files = files }

    package func octets(of path: String) throws -> [UInt8] {
        guard let octets = files[path] else {
            throw FileFault(description: "cannot be opened: no such file")
        }
        return octets
    }
}
