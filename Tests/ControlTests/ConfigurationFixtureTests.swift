import Control
import Foundation
import TestSupport
import Testing

/// Each folder of `Fixtures/config` has a `bad.yaml` with errors of one kind, and a correct
/// `good.yaml`.
@Suite struct `Configuration fixtures` {
    static let folder =
        URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../Fixtures/config").standardizedFileURL.path() + "/"

    static let mistakes = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []

    @Test func `there are fixtures`() { #expect(Self.mistakes.count > 30) }

    @Test(arguments: mistakes)
    func `every mistake of a bad configuration is told at its place in one run`(
        mistake: String
    ) throws {
        let path = "\(Self.folder)\(mistake)/bad.expected"
        let expected = try String(contentsOfFile: path, encoding: .utf8)
        #expect(Self.text(of: Self.loader(mistake).check(path: "bad.yaml")) == expected)
        #expect(!expected.isEmpty)
    }

    @Test(arguments: mistakes)
    func `a good configuration gives no message`(mistake: String) {
        #expect(Self.text(of: Self.loader(mistake).check(path: "good.yaml")).isEmpty)
    }

    @Test(arguments: mistakes)
    func `a configuration is refused if and only if it has an error`(mistake: String) {
        let loader = Self.loader(mistake)
        var diagnostics = Diagnostics()
        let configuration = loader.load(path: "bad.yaml", diagnostics: &diagnostics)
        #expect((configuration == nil) == diagnostics.hasErrors)
        let hasErrors = loader.check(path: "bad.yaml").contains { $0.severity == .error }
        #expect(diagnostics.hasErrors == hasErrors)
    }

    /// Reads with the fixture's folder as current folder, so that messages have short paths.
    private static func loader(_ mistake: String) -> ConfigurationLoader {
        ConfigurationLoader(
            loader: FolderLoader(folder: folder + mistake),
            system: SystemResolvers(reading: "nameserver 10.9.0.53")
        )
    }

    private static func text(of diagnostics: [Diagnostic]) -> String {
        diagnostics.map { "\($0)\n" }.joined()
    }
}
