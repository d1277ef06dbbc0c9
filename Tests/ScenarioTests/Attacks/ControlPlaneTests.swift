import Foundation
import TestSupport
import Testing

/// Invalid input on the control socket; each test ends with a valid request.
@Suite struct `The control plane under attack` {
    private func start() throws -> ZonalServer {
        try ZonalServer("forward: [{ zone: \".\", to: [\"127.0.0.1:9\"] }]\n")
    }

    private func isAlive(_ server: ZonalServer) -> Bool {
        ControlClient.ask(server.folder.file("control"), "status text")?.hasPrefix("ok\n") == true
    }

    @Test(arguments: [
        "", "GET / HTTP/1.1", "status", "status xml", "status text more", "reload now", "flush",
        "flush a..b", "explain text 10.0.0.1 - a.example", "explain text nobody - a.example A",
        "explain text 10.0.0.1 - a.example NOTYPE", "\u{1B}[2J", "flush a\u{0}b",
        "{\"do\":\"status\"}",
    ])
    func `attack 59: a line that is no request is told so, and changes nothing`(line: String) throws
    {
        let server = try start()
        let reply = ControlClient.ask(server.folder.file("control"), line)
        #expect(reply?.hasPrefix("error ") == true, "\(reply ?? "nothing")")
        #expect(isAlive(server))
    }

    @Test func `attack 59: a line without end is cut off at 64 KiB`() throws {
        let server = try start()
        let client = try #require(ControlClient(server.folder.file("control")))
        let chunk = [UInt8](repeating: UInt8(ascii: "a"), count: 1 << 16)
        var sent = 0
        while sent < 64, client.send(chunk) { sent += 1 }
        // The kernel may buffer a few more.
        #expect(sent < 16)
        let reply = try #require(client.receiveAll())
        #expect(reply.hasPrefix("error a request must be one line"), "\(reply)")
        #expect(isAlive(server))
    }

    @Test func `attack 59: octets that are no text are told so`() throws {
        let server = try start()
        let client = try #require(ControlClient(server.folder.file("control")))
        client.send([0xFF, 0xFE, 0x0A])
        #expect(client.receiveAll() == "error a request must be text without control characters\n")
        #expect(isAlive(server))
    }

    @Test func `attack 59: who says nothing is hung up on, and does not keep others out for long`()
        throws
    {
        let server = try start()
        let path = server.folder.file("control")
        let silent = (0..<40).compactMap { _ in ControlClient(path) }
        // Eight of them occupy a connection for five seconds, the others none.
        for client in silent.reversed() { #expect(client.receiveAll() == "") }
        #expect(isAlive(server))
    }

    @Test(.enabled(if: getuid() == 0, "needs root, to become somebody else"))
    func `attack 59: another user is not heard, even where the file lets it in`() throws {
        let server = try start()
        let path = server.folder.file("control")
        try Command.run(["chmod", "755", server.folder.path])
        let script = """
            import socket, sys
            s = socket.socket(socket.AF_UNIX)
            s.connect(sys.argv[1])
            try:
                s.sendall(b"status text\\n")
            except BrokenPipeError:
                pass
            print(s.recv(65536).decode(), end="")
            """
        let command = [
            "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "/usr/bin/python3",
            "-c", script, path,
        ]
        #expect(try Command.run(command).complaints.contains("PermissionError"))
        try Command.run(["chmod", "666", path])
        #expect(
            try Command.run(command).output
                == "error only this server's user and root may send requests\n"
        )
        #expect(isAlive(server))
    }

    // MARK: The other side

    /// A process of the user `nobody` that replies "owned" on a socket.
    private func impostor(at path: String) throws -> RunningProcess {
        let script = """
            import os, socket, sys
            s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); os.chmod(sys.argv[1], 0o777)
            s.listen(9); print("listening", flush=True)
            while True:
                c, _ = s.accept(); c.sendall(b"ok\\nowned\\n"); c.close()
            """
        let process = try RunningProcess([
            "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "/usr/bin/python3",
            "-c", script, path,
        ])
        _ = try process.waitForOutput { $0.contains("listening") }
        return process
    }

    @Test(
        .enabled(if: getuid() == 0, "needs root, to become somebody else"),
        arguments: [
            ["status"], ["reload"], ["flush"], ["explain", "--live", "--from", "::1", "a"],
        ]
    )
    func `attack 59: another user's socket in a folder that others can write to is not believed`(
        command: [String]
    ) throws {
        let folder = try TemporaryFolder(["zonal.yaml": "control: shared/control\n"])
        let shared = folder.file("shared")
        try Command.run(["install", "-d", "-m", "1777", shared])
        try Command.run(["chmod", "755", folder.path])
        let impostor = try impostor(at: shared + "/control")
        let result = try Command.run(
            [Project.zonal] + command + ["--config", "zonal.yaml"],
            in: folder.path
        )
        #expect(result.status == 3 && !result.output.contains("owned"), "\(result)")
        #expect(result.complaints.contains("is served by another user (65534)"), "\(result)")
        withExtendedLifetime(impostor) {}
    }

    @Test(.enabled(if: getuid() == 0, "needs root, to become somebody else"))
    func `attack 59: root finds another user's server in that user's own folder`() throws {
        let folder = try TemporaryFolder(["zonal.yaml": "control: own/control\n"])
        let own = folder.file("own")
        try Command.run(["chmod", "755", folder.path])
        try Command.run(["install", "-d", "-o", "nobody", "-g", "nogroup", "-m", "700", own])
        let other = try impostor(at: own + "/control")
        func status() throws -> Command.Result {
            try folder.zonal("status", "--config", "zonal.yaml")
        }
        #expect(try status().output == "owned\n")
        try Command.run(["chmod", "770", own])
        #expect(try status().status == 3)
        withExtendedLifetime(other) {}
    }

    @Test(.enabled(if: getuid() == 0, "needs root, to become somebody else"))
    func `attack 59: a user believes no third user, wherever the socket is`() throws {
        let folder = try TemporaryFolder(["zonal.yaml": "control: own/control\n"])
        let own = folder.file("own")
        try Command.run(["chmod", "755", folder.path])
        try Command.run(["install", "-d", "-o", "nobody", "-g", "nogroup", "-m", "755", own])
        let other = try impostor(at: own + "/control")
        let daemon = ["setpriv", "--reuid=daemon", "--regid=daemon", "--clear-groups"]
        let result = try Command.run(
            daemon + [Project.zonal, "status", "--config", "zonal.yaml"],
            in: folder.path
        )
        #expect(result.status == 3 && result.output.isEmpty, "\(result)")
        withExtendedLifetime(other) {}
    }

    @Test(
        .enabled(if: getuid() == 0, "needs root, to become somebody else"),
        arguments: [("777", "daemon"), ("1777", "daemon"), ("770", "daemon"), ("755", "nobody")]
    )
    func `attack 59: nothing is looked for in a folder that others can write to`(
        mode: String,
        owner: String
    ) throws {
        let folder = try TemporaryFolder(["zonal.yaml": "forward: []\n"])
        try Command.run(["chmod", "755", folder.path])
        try Command.run(
            ["install", "-d", "-o", owner, "-m", mode, folder.file("zonal")]
        )
        let result = try Command.run(
            [
                "setpriv", "--reuid=daemon", "--regid=daemon", "--clear-groups", "env",
                "XDG_RUNTIME_DIR=\(folder.path)", Project.zonal, "status", "--config", "zonal.yaml",
            ],
            in: folder.path
        )
        #expect(result.status == 3)
        #expect(result.complaints.contains("so no server in it is trusted"), "\(result)")
    }
}
