import Foundation
import TestSupport
import Testing

@testable import Control

/// The declarations of keys are correct, and the documents match them.
@Suite struct `Configuration keys` {
    private static func diagnostics(_ text: String) -> [Diagnostic] {
        CheckedConfiguration.diagnostics(text, files: DocumentedKey.files)
    }

    private static func errors(_ text: String) -> [String] {
        diagnostics(text).filter { $0.severity == .error }.map(\.message)
    }

    @Test func `every section has keys`() {
        #expect(DocumentedKey.all.count > 70)
        let sections = Set(DocumentedKey.all.filter { !$0.above.isEmpty }.map(\.above.last?.name))
        #expect(sections.count == 15)
    }

    @Test(arguments: DocumentedKey.all)
    func `every example loads without an error`(documented: DocumentedKey) {
        #expect(Self.errors(documented.configuration()) == [], "\(documented.configuration())")
    }

    @Test(arguments: DocumentedKey.all)
    func `every example contains its key`(documented: DocumentedKey) {
        let lines = documented.key.example.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("\(documented.key.name):") })
    }

    @Test(arguments: DocumentedKey.all)
    func `every default may be written explicitly`(documented: DocumentedKey) {
        guard case .value(let value) = documented.key.presence else { return }
        let text = documented.configuration("\(documented.key.name): \(value)")
        #expect(Self.errors(text) == [], "\(text)")
    }

    @Test(arguments: [
        ("cache.size", "64MiB"), ("cache.max-ttl", "1d"), ("cache.min-ttl", "0s"),
        ("limits.idle", "10s"), ("limits.tcp-connections", "1024"), ("rate-limit.responses", "off"),
        ("rate-limit.refusals", "10"), ("zones.affinity", "zonal"), ("zones.fallthrough", "false"),
        ("zones.health.port", "443"), ("outgoing-ports", "[1024-65535]"),
    ])
    func `every default is documented in the form of the configuration`(path: String, value: String)
        throws
    {
        let documented = try #require(DocumentedKey.all.first { $0.path == path })
        #expect(documented.key.presence == .value(value))
    }

    @Test(arguments: DocumentedKey.all)
    func `a key with another last letter is unknown, and the right one suggested`(
        documented: DocumentedKey
    ) {
        let name = documented.key.name
        let wrong = name.dropLast() + "q"
        let lines = documented.key.example.split(separator: "\n").map {
            $0.hasPrefix("\(name):") ? "\(wrong)\($0.dropFirst(name.count))" : String($0)
        }
        let errors = Self.errors(documented.configuration(lines.joined(separator: "\n")))
        #expect(
            errors.contains {
                $0.hasPrefix("unknown key `\(wrong)`") && $0.hasSuffix("did you mean `\(name)`?")
            },
            "\(errors)"
        )
    }

    @Test(arguments: ConfigurationKeys.later)
    func `a key of a later version is refused as not supported yet`(key: String) {
        #expect(Self.errors("\(key): 1") == ["`\(key)` is not supported yet; remove it"])
    }

    @Test(arguments: [
        (ConfigurationReference.path, ConfigurationReference.text),
        (ConfigurationManPage.path, ConfigurationManPage.text),
    ])
    func `a document says what the declarations say`(path: String, text: String) throws {
        if ProcessInfo.processInfo.environment["ZONAL_WRITE_DOCS"] == "1" {
            try text.write(toFile: Project.path(path), atomically: true, encoding: .utf8)
        }
        let written = try String(contentsOfFile: Project.path(path), encoding: .utf8)
        #expect(written == text, "\(path) is out of date; run make docs")
    }
}

extension DocumentedKey: CustomTestStringConvertible {
    var testDescription: String { path }
}
