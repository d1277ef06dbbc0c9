import Foundation
import TestSupport

/// A seed input, from `Tests/Fixtures`.
///
/// Binary seeds are written as commented hex (`CommentedHex`), text seeds as they are.
package struct FuzzSeed: Sendable {
    /// Its file's name without `.hex`.
    package var name: String
    package var octets: [UInt8]

    /// Writes the octets themselves into a folder, for the fuzzer.
    package func write(to folder: String) throws {
        try FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: true
        )
        try Data(octets).write(to: URL(filePath: folder).appending(path: name))
    }
}

extension FuzzTarget {
    /// The target's own seeds, and suitable fixtures of other tests.
    package func seeds() throws -> [FuzzSeed] {
        let others: [String] =
            switch self {
            case .message: ["packets"]
            case .zone: ["zones/good", "zones/bad"]
            default: []
            }
        return try (others + ["fuzz/\(rawValue)"]).flatMap(Self.seeds(in:))
    }

    private static func seeds(in folder: String) throws -> [FuzzSeed] {
        let path = Project.path("Tests/Fixtures/\(folder)")
        let files = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        return try files.filter { $0.contains(".") }.map { file in
            let octets = try Data(contentsOf: URL(filePath: path).appending(path: file))
            guard file.hasSuffix(".hex") else {
                return FuzzSeed(name: file, octets: Array(octets))
            }
            let text = String(decoding: octets, as: UTF8.self)
            return FuzzSeed(
                name: String(file.dropLast(4)),
                octets: try CommentedHex.octets(of: text)
            )
        }
    }
}
