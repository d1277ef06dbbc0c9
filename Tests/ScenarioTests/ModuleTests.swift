import Foundation
import TestSupport
import Testing

/// The modules that the decision-making code may import.
///
/// A file sees nothing of a module that it does not import, so the package's dependencies and these
/// imports let the compiler enforce the rest.
@Suite struct `What decides has no socket and no clock` {
    private static let cores = [
        ["DNSWire"],
        ["Upstream", "Memory"],
        ["Upstream", "Messages"],
        ["Upstream", "Questions"],
        ["Upstream", "Servers"],
        ["Upstream", "Shares"],
    ]
    /// Atomics are not a clock.
    private static let allowed: Set = ["DNSWire", "Synchronization"]

    @Test(arguments: cores)
    func `and imports nothing that has any`(folder: [String]) throws {
        let sources = Project.root.appending(path: "Sources").appending(
            path: folder.joined(separator: "/")
        )
        let files = FileManager.default.enumerator(
            at: sources,
            includingPropertiesForKeys: nil
        )
        let found = try #require(files).compactMap { $0 as? URL }
            .filter { $0.pathExtension == "swift" }
        #expect(!found.isEmpty)
        for file in found {
            let text = try String(contentsOf: file, encoding: .utf8)
            let imports = text.matches(of: /(?m)^(?:public |package )?import (\w+)$/).map {
                String($0.output.1)
            }
            let others = Set(imports).subtracting(Self.allowed)
            #expect(others.isEmpty, "\(file.lastPathComponent) imports \(others.sorted())")
        }
    }

    @Test func `and every folder of Upstream is one that decides or one that transports`() throws {
        let folders = try FileManager.default.contentsOfDirectory(
            atPath: Project.root.appending(path: "Sources/Upstream").path
        )
        let known = Self.cores.filter { $0[0] == "Upstream" && $0.count > 1 }.map { $0[1] }
        #expect(Set(folders) == Set(known).union(["Datagrams", "Connections"]))
    }
}
