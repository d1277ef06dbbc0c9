import Foundation
import TestSupport
import Testing

/// What the modules that decide may know of: the package's arrows hold the compiler to the rest.
@Suite struct `A module without sockets and clocks` {
    @Test(
        arguments: [("DNSWire", []), ("Upstream", ["DNSWire"])] as [(String, Set<String>)]
    )
    func `imports nothing that has any`(module: String, allowed: Set<String>) throws {
        let files = FileManager.default.enumerator(
            at: Project.root.appending(path: "Sources/\(module)"),
            includingPropertiesForKeys: nil
        )
        let sources = try #require(files).compactMap { $0 as? URL }
            .filter { $0.pathExtension == "swift" }
        #expect(!sources.isEmpty)
        for file in sources {
            let text = try String(contentsOf: file, encoding: .utf8)
            let imports = text.matches(of: /(?m)^(?:public |package )?import (\w+)$/).map {
                String($0.output.1)
            }
            #expect(allowed.isSuperset(of: imports), "\(file.lastPathComponent)")
        }
    }
}
