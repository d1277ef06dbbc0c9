import Foundation
import TestSupport
import Testing

/// Reloads that are too frequent, take too long, or would lose the whole configuration.
@Suite struct `A reload` {
    private static let settings = "forward: [{ zone: \".\", to: [\"127.0.0.1:9\"] }]"

    private static func zone(_ address: String, records: String = "") -> String {
        "$TTL 60\n@ SOA ns h 1 1h 15m 1w 60\nwww A \(address)\n" + records
    }

    private static func start() throws -> ZonalServer {
        try ZonalServer.withVPC(settings, records: "www A 127.20.1.1\n")
    }

    private static func expect(_ address: String, from server: ZonalServer) throws {
        #expect(try server.dig("127.20.1.7", "www.internal.example").data == [address])
    }

    @Test(arguments: [
        "", "# nothing yet\n", "forward: []\n",
        "forward: []\naccounts: [{ id: \"111122223333\" }]\nvpcs: [{ id: vpc-0a1, account: \"111122223333\", ranges: [127.20.0.0/16] }]\n",
    ])
    func `to a configuration that has lost its VPCs or zones is refused`(text: String) throws {
        let server = try Self.start()
        try server.folder.write(text, to: "zonal.yaml")
        let log = try server.reload()
        #expect(log.contains("reload failed"))
        #expect(log.contains("restore it, or set `empty: true`"))
        try Self.expect("127.20.1.1", from: server)
    }

    @Test func `to an empty configuration that is meant is taken`() throws {
        let server = try Self.start()
        try server.folder.write("forward: []\nempty: true\n", to: "zonal.yaml")
        #expect(try server.reload().contains("reloaded"))
        #expect(try server.dig("127.20.1.7", "www.internal.example").rcode == "REFUSED")
    }

    @Test func `is one for many signals`() throws {
        let server = try Self.start()
        try server.folder.write(Self.zone("127.20.1.2"), to: "internal.example.zone")
        let clock = ContinuousClock()
        let start = clock.now
        for _ in 0..<2000 { server.process.send(signal: SIGHUP) }
        try server.process.waitForOutput { $0.contains("reloaded") }
        try server.folder.write(Self.zone("127.20.1.3"), to: "internal.example.zone")
        _ = try Command.run(
            [Project.zonal, "reload", "--config", "zonal.yaml"],
            in: server.folder.path
        )
        try Self.expect("127.20.1.3", from: server)
        let seconds = Int((clock.now - start) / .seconds(1)) + 1
        let count = server.process.log.components(separatedBy: "reloaded").count - 1
        #expect(count <= 6 + seconds, "\(count) in \(seconds) s")
    }

    /// A zone that takes a second or more to read.
    private static let large = (0..<1_000_000).map { "host\($0) A 127.20.9.9\n" }.joined()

    /// Returns once a background thread of the server runs the reload.
    private static func waitForReading(_ server: ZonalServer) throws {
        let tasks = "/proc/\(server.process.identifier)/task"
        for _ in 0..<10_000 {
            let names = try FileManager.default.contentsOfDirectory(atPath: tasks).compactMap {
                try? String(contentsOfFile: "\(tasks)/\($0)/comm", encoding: .utf8)
            }
            if names.contains("background\n") { return }
        }
        Issue.record("no reload has begun")
    }

    /// A server whose reload has begun and takes a while.
    private static func reading() throws -> ZonalServer {
        let server = try start()
        try server.folder.write(zone("127.20.1.2", records: large), to: "internal.example.zone")
        server.process.send(signal: SIGHUP)
        try waitForReading(server)
        return server
    }

    @Test func `that is reading is replaced by a newer one`() throws {
        let server = try Self.reading()
        try server.folder.write(Self.zone("127.20.1.3"), to: "small")
        try FileManager.default.removeItem(atPath: server.folder.file("internal.example.zone"))
        try FileManager.default.moveItem(
            atPath: server.folder.file("small"),
            toPath: server.folder.file("internal.example.zone")
        )
        server.process.send(signal: SIGHUP)
        try server.process.waitForOutput { $0.contains("reloaded") }
        try Self.expect("127.20.1.3", from: server)
        let status = try Command.run(
            [Project.zonal, "reload", "--config", "zonal.yaml"],
            in: server.folder.path
        )
        #expect(status.status == 0)
        #expect(server.process.log.components(separatedBy: "reloaded").count - 1 == 2)
    }

    @Test func `that is reading does not delay the end of the server`() throws {
        let server = try Self.reading()
        server.process.send(signal: SIGTERM)
        let (status, output) = try server.process.waitForExit()
        #expect(status == 0)
        #expect(output.contains("stopped"))
        #expect(!output.contains("reloaded"))
    }

    // MARK: The machine's name servers

    @Test
    func `of the machine's name servers follows its file, and never takes 127.0.0.1 for none`()
        throws
    {
        let folder = try TemporaryFolder([
            "zonal.yaml": "control: control\n", "resolv.conf": "# none yet\n",
        ])
        let mount = "mount --bind resolv.conf /etc/resolv.conf && exec \"$@\""
        let server = try RunningProcess(
            ["unshare", "-m", "sh", "-c", mount, "sh", Project.zonal, "serve", "--config"]
                + ["zonal.yaml", "--listen", "127.0.0.1:0"],
            in: folder.path
        )
        try server.waitForOutput { $0.contains("ready") }
        #expect(server.log.contains("/etc/resolv.conf names no server"))
        func write(_ text: String) throws {
            let file = try FileHandle(forWritingTo: URL(filePath: folder.file("resolv.conf")))
            try file.truncate(atOffset: 0)
            try file.write(contentsOf: Data(text.utf8))
        }
        try write("nameserver 192.0.2.7\n")
        try server.waitForOutput { $0.contains("`system` is now 192.0.2.7\n") }
        try write("nameserver 192.0.2.8\nnameserver 192.0.2.9\n")
        try server.waitForOutput { $0.contains("`system` is now 192.0.2.8, 192.0.2.9\n") }
        try write("")
        try server.waitForOutput { $0.contains("`system` keeps its previous servers") }
        let explained = try Command.run(
            [Project.zonal, "explain", "--live", "--config", "zonal.yaml"]
                + ["--from", "127.0.0.1", "a.example"],
            in: folder.path
        )
        #expect(explained.output.contains("192.0.2.8, 192.0.2.9"))
    }
}
