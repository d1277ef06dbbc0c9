import Foundation
import TestSupport
import Testing

/// Commands to a running server.
@Suite struct `The control socket` {
    private func zonal(_ server: ZonalServer, _ arguments: String...) throws -> Command.Result {
        try Command.run(
            [Project.zonal] + arguments + ["--config", "zonal.yaml"],
            in: server.folder.path
        )
    }

    private func start() throws -> ZonalServer {
        try ZonalServer("forward: [{ zone: \".\", to: [\"127.0.0.1:9\"] }]\n")
    }

    @Test(arguments: [
        ["status"], ["reload"], ["flush"], ["explain", "--live", "--from", "::1", "a"],
    ])
    func `a command without a server ends with 3`(command: [String]) throws {
        let folder = try TemporaryFolder(["zonal.yaml": "control: control\n"])
        let result = try Command.run(
            [Project.zonal] + command + ["--config", "zonal.yaml"],
            in: folder.path
        )
        #expect(result.status == 3)
        #expect(result.complaints == "zonal: no server at control: No such file or directory\n")
    }

    @Test func `status tells version, listeners and the file`() throws {
        let server = try start()
        let text = try zonal(server, "status")
        #expect(text.status == 0)
        #expect(text.output.hasPrefix("zonal 0."))
        #expect(text.output.contains("\nlistening on 127.0.0.1:\(server.port)\n"))
        let json = try zonal(server, "status", "--format", "json")
        let parsed = try JSONSerialization.jsonObject(with: Data(json.output.utf8))
        let object = try #require(parsed as? [String: Any])
        #expect(object["pid"] as? Int32 == server.process.identifier)
        #expect(object["configuration"] as? String == "zonal.yaml")
        #expect(object["listeners"] as? [String] == ["127.0.0.1:\(server.port)"])
        #expect(object["reload-error"] is NSNull)
    }

    @Test func `reload takes what has changed, and tells what waits for a restart`() throws {
        let server = try start()
        let text =
            "forward: [{ zone: a.example, to: [\"127.0.0.1:9\"] }]\nworkers: 3\ncontrol: control\n"
        try server.folder.write(text, to: "zonal.yaml")
        let result = try zonal(server, "reload")
        #expect(result.status == 0)
        #expect(
            result.output == "workers has changed; that takes effect with a restart\nreloaded\n"
        )
        #expect(try server.dig("127.0.0.1", "b.example").rcode == "REFUSED")
    }

    @Test func `reload at a mistake ends with 1 and says what it is, and so does status`() throws {
        let server = try start()
        try server.folder.write("wokers: 2\ncontrol: control\n", to: "zonal.yaml")
        let result = try zonal(server, "reload")
        let mistake = "zonal.yaml:1:1: error: unknown key `wokers`"
        #expect(result.status == 1)
        #expect(result.complaints.hasPrefix(mistake))
        #expect(result.complaints.contains("the previous configuration stays in force"))
        let status = try zonal(server, "status")
        #expect(status.output.contains("the last reload failed: \(mistake)"))
    }

    @Test func `flush makes the server ask again for what is below the name, and nothing else`()
        throws
    {
        let upstream = try ScriptedUpstream { [Answer.address($0, [192, 0, 2, 1])] }
        let server = try ZonalServer.forwarding(to: upstream)
        let names = ["a.example.org.", "b.a.example.org.", "c.example.org."]
        func questions(afterFlushing arguments: [String]) throws -> [String] {
            let before = upstream.queries.count
            let result = try Command.run(
                [Project.zonal, "flush", "--config", "zonal.yaml"] + arguments,
                in: server.folder.path
            )
            #expect(result.status == 0)
            for name in names { _ = try server.dig("127.0.0.1", name) }
            return upstream.queries.dropFirst(before).map { Answer.askedName(of: $0.message) }
        }
        for name in names { _ = try server.dig("127.0.0.1", name) }
        #expect(try questions(afterFlushing: ["a.example.org"]) == Array(names.prefix(2)))
        #expect(try questions(afterFlushing: ["b.example.org"]).isEmpty)
        #expect(try questions(afterFlushing: []) == names)
    }

    @Test func `explain --live knows what is cached`() throws {
        let upstream = try ScriptedUpstream { [Answer.address($0, [192, 0, 2, 1])] }
        let server = try ZonalServer.forwarding(to: upstream)
        let before = try zonal(server, "explain", "--live", "--from", "127.0.0.1", "a.example.org")
        #expect(before.output.contains("an upstream decides the rest of the answer"))
        _ = try server.dig("127.0.0.1", "a.example.org")
        let after = try zonal(server, "explain", "--live", "--from", "127.0.0.1", "a.example.org")
        #expect(after.output.contains("the cache provides the rest of the answer"))
        #expect(after.output.hasSuffix("\n  NOERROR\n"))
    }

    @Test func `a second server does not take a live socket, and takes one that was left`() throws {
        let first = try start()
        let second = [Project.zonal, "serve", "--config", "zonal.yaml", "--listen", "127.0.0.1:0"]
        let refused = try Command.run(second, in: first.folder.path)
        #expect(refused.status == 2)
        #expect(refused.complaints.contains("control is in use by another server; set `control`"))
        #expect(try zonal(first, "status").status == 0)

        first.process.send(signal: SIGKILL)
        _ = try first.process.waitForExit()
        #expect(FileManager.default.fileExists(atPath: first.folder.file("control")))
        let heir = try RunningProcess(second, in: first.folder.path)
        try heir.waitForOutput { $0.contains("ready") }
        #expect(try zonal(first, "status").status == 0)
        heir.send(signal: SIGTERM)
        #expect(try heir.waitForExit().status == 0)
        #expect(!FileManager.default.fileExists(atPath: first.folder.file("control")))
        #expect(!FileManager.default.fileExists(atPath: first.folder.file("control.lock")))
    }

    @Test func `the socket is the user's own, and replaces no file that is none`() throws {
        let server = try start()
        let path = server.folder.file("control")
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
        #expect(mode as? Int == 0o600)

        let folder = try TemporaryFolder(["zonal.yaml": "control: precious\n", "precious": "data"])
        let result = try ZonalServer.attempt(in: folder)
        #expect(result.status == 2)
        #expect(result.complaints.contains("precious is not a leftover socket"))
        #expect(try String(contentsOfFile: folder.file("precious"), encoding: .utf8) == "data")
    }

    @Test func `a folder that others can write to is no place for it`() throws {
        let folder = try TemporaryFolder(["zonal.yaml": "control: open/control\n", "open/a": ""])
        try Command.run(["chmod", "777", folder.file("open")])
        let result = try ZonalServer.attempt(in: folder)
        #expect(result.status == 2)
        #expect(result.complaints.contains("others can write to open"))
    }

    @Test func `without the key each configuration has a socket where the system has them`() throws
    {
        let folder = try TemporaryFolder(["zonal.yaml": "forward: []\n"])
        let command = [Project.zonal, "serve", "--config", "zonal.yaml", "--listen", "127.0.0.1:0"]
        let server = try RunningProcess(command, in: folder.path)
        try server.waitForOutput { $0.contains("ready") }
        let path = folder.file("zonal.yaml")
        let status = try Command.run([Project.zonal, "status", "--config", path])
        #expect(status.status == 0)
        #expect(status.output.contains("zonal.yaml, loaded "))
        server.send(signal: SIGTERM)
        #expect(try server.waitForExit().status == 0)
        #expect(try Command.run([Project.zonal, "status", "--config", path]).status == 3)
    }
}
