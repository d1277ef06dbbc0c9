import Foundation
import TestSupport
import Testing

/// Runs the README's session as written.
@Suite(.enabled(if: NetworkNamespaces.arePossible, "needs root, iproute2 and network namespaces"))
struct `README` {
    @Test func `every command of the session prints what the README shows`() throws {
        let session = try ConsoleSession.commands(in: "README.md")
        #expect(session.count > 8)
        let machine = try NetworkNamespaces([.init("machine", [], nameServers: ["127.0.0.53"])])
        let upstream = try NSDServer(
            PublicInternet.zones,
            address: "127.0.0.53",
            port: 53,
            inside: machine.on("machine")
        )
        // Build commands are skipped; the tested program is used.
        let make = ["make", "-o", "build", "-o", "build-tools", "run", "ZONAL=\(Project.zonal)"]
        let run = try RunningProcess(machine.on("machine", make), in: Project.path(""))
        let log = try run.waitForOutput { $0.contains("ready") }
        #expect(log.split(separator: "\n").count { $0.hasPrefix("  dig -b ") } == 3)
        for (command, output) in session {
            let tested = command.replacing(".build/release/zonal", with: Project.zonal)
            let shell = machine.on("machine", ["sh", "-c", "\(tested) 2>&1"])
            let result = try Command.run(shell, in: Project.path(""))
            #expect(result.output == output, "\(command)")
        }
        for line in log.split(separator: "\n") where line.hasPrefix("  dig -b ") {
            let shell = machine.on("machine", ["sh", "-c", "\(line) +short"])
            #expect(try !Command.run(shell).output.isEmpty)
        }
        withExtendedLifetime(upstream) {}
    }
}

/// The console blocks of a document.
enum ConsoleSession {
    /// Each `$ command`, and the lines after it.
    static func commands(in document: String) throws -> [(command: String, output: String)] {
        let text = try String(contentsOfFile: Project.path(document), encoding: .utf8)
        var session: [(command: String, output: String)] = []
        var isConsole = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") {
                isConsole = line == "```console"
            } else if isConsole, line.hasPrefix("$ ") {
                session.append((String(line.dropFirst(2)), ""))
            } else if isConsole, !session.isEmpty {
                session[session.count - 1].output += line + "\n"
            }
        }
        return session
    }
}

@Suite struct `Documents` {
    @Test func `every command about AWS accounts prints what its document shows`() throws {
        let session = try ConsoleSession.commands(in: "docs/aws.md")
        #expect(session.count > 4)
        let folder = try TemporaryFolder([
            "zonal.yaml":
                "include: [aws/topology.yaml]\nforward: [{ zone: \".\", to: [192.0.2.53] }]\n"
        ])
        try FileManager.default.copyItem(
            atPath: Project.path("Tests/Fixtures/aws"),
            toPath: folder.file("exports")
        )
        for (command, output) in session {
            let tested = command.replacing(/^zonal/, with: Project.zonal)
            let result = try Command.run(["sh", "-c", "\(tested) 2>&1"], in: folder.path)
            #expect(result.output == output, "\(command)")
        }
    }

    @Test func `the README's command for the tests is the one that continuous integration runs`()
        throws
    {
        let script = try String(contentsOfFile: Project.path(".ci/run"), encoding: .utf8)
        let readme = try String(contentsOfFile: Project.path("README.md"), encoding: .utf8)
        #expect(readme.contains("\n    make test "))
        #expect(script.contains("\nmake lint\nmake test\n"))
    }

    @Test func `every file that a document names is there`() throws {
        let documents = try FileManager.default.subpathsOfDirectory(atPath: Project.path("docs"))
            .filter { $0.hasSuffix(".md") }
        #expect(documents.contains("reference/configuration.md"))
        for document in ["README.md"] + documents.map({ "docs/\($0)" }) {
            let text = try String(contentsOfFile: Project.path(document), encoding: .utf8)
            let folder = URL(filePath: Project.path(document)).deletingLastPathComponent()
            for match in text.matches(of: /\]\(([^)#]+)\)/) {
                let path = folder.appending(path: String(match.1)).path()
                #expect(FileManager.default.fileExists(atPath: path), "\(document): \(match.1)")
            }
        }
    }

    @Test func `every type and file that the architecture names is there`() throws {
        let text = try String(contentsOfFile: Project.path("docs/architecture.md"), encoding: .utf8)
        var count = 0
        for match in text.matches(of: /`([A-Z][A-Za-z]+(?:\/[A-Z][A-Za-z]+)+)`/) {
            let path = Project.path("Sources/\(match.1)")
            let exists = ["", ".swift"].contains {
                FileManager.default.fileExists(atPath: path + $0)
            }
            #expect(exists, "\(match.1)")
            count += 1
        }
        #expect(count > 10)
    }
}
