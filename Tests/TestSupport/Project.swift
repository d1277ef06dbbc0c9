package import Foundation

/// Paths in the checkout under test.
package enum Project {
    package static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// A path below the root of the checkout.
    package static func path(_ name: String) -> String { root.appending(path: name).path() }

    /// The program: `ZONAL` if set, else the newest build.
    package static let zonal: String = {
        if let given = ProcessInfo.processInfo.environment["ZONAL"] { return path(given) }
        let builds = ["release", "debug"].map { path(".build/\($0)/zonal") }
        return builds.max { modified($0) < modified($1) } ?? ""
    }()

    private static func modified(_ path: String) -> Date {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return attributes?[.modificationDate] as? Date ?? .distantPast
    }
}

/// A folder that is deleted when it is no longer referenced.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init(_ files: [String: String] = [:]) throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "zonal-test-\(UUID().uuidString)")
        path = folder.path()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for (name, text) in files { try write(text, to: name) }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    package func write(_ text: String, to name: String) throws {
        let file = URL(filePath: path).appending(path: name)
        let folder = file.deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    package func file(_ name: String) -> String { "\(path)/\(name)" }
}
