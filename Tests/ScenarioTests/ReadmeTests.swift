import Foundation
import TestSupport
import Testing

/// Runs the README's session as written.
@Suite(.enabled(if: NetworkNamespaces.arePossible, "needs root, iproute2 and network namespaces"))
struct `README` {
    @Test func `every command of the session prints what the README shows`() throws {
        let session = try ConsoleDocument("README.md").commands
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
        for command in session {
            let tested = command.text.replacing(".build/release/zonal", with: Project.zonal)
            let shell = machine.on("machine", ["sh", "-c", "\(tested) 2>&1"])
            let result = try Command.run(shell, in: Project.path(""))
            let output = command.output.map { $0 + "\n" }.joined()
            #expect(result.output == output, "\(command.text)")
        }
        for line in log.split(separator: "\n") where line.hasPrefix("  dig -b ") {
            let shell = machine.on("machine", ["sh", "-c", "\(line) +short"])
            #expect(try !Command.run(shell).output.isEmpty)
        }
        withExtendedLifetime(upstream) {}
    }
}

@Suite struct `Documents` {
    @Test func `the README's command for the tests is the one that continuous integration runs`()
        throws
    {
        let script = try String(contentsOfFile: Project.path(".ci/run"), encoding: .utf8)
        let readme = try String(contentsOfFile: Project.path("README.md"), encoding: .utf8)
        #expect(readme.contains("\n    make test "))
        #expect(script.contains("\nmake lint\nmake test\n"))
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
