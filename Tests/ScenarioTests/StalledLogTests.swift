import Foundation
import TestSupport
import Testing

/// Nobody reads the server's standard error.
@Suite struct `A log that nobody reads` {
    /// Starts the server with a full pipe as standard error, and passes on its process ID.
    private static let starter = """
        import fcntl, os, subprocess, sys, time
        r, w = os.pipe()
        p = subprocess.Popen(sys.argv[1:], stderr=w)
        while not os.path.exists("control"): time.sleep(0.01)
        while b"ready" not in os.read(r, 65536): pass
        f = os.open("/proc/self/fd/%d" % w, os.O_WRONLY | os.O_NONBLOCK)
        for size in (4096, 1):
            try:
                while True: os.write(f, b"x" * size)
            except BlockingIOError: pass
        print("full", p.pid, flush=True)
        print("ended", p.wait(), flush=True)
        """

    @Test func `costs no answer, and does not keep the server from ending`() throws {
        let folder = try TemporaryFolder([
            "zonal.yaml": """
            control: control
            workers: 1
            forward: [{ zone: ".", to: ["127.0.0.1:9"] }]
            accounts: [{ id: "111122223333" }]
            vpcs: [{ id: vpc-0a1, account: "111122223333", ranges: [127.20.0.0/16] }]
            zones: [{ file: internal.example.zone, vpcs: [vpc-0a1] }]
            """,
            "internal.example.zone":
                "$TTL 60\n@ SOA ns h 1 1h 15m 1w 60\ndb A 127.20.1.1\n",
        ])
        let process = try RunningProcess(
            ["python3", "-c", Self.starter, Project.zonal, "serve", "--config", "zonal.yaml"]
                + ["--listen", "127.0.0.1:0"],
            in: folder.path
        )
        let log = try process.waitForOutput { $0.contains(/full [0-9]+\n/) }
        let words = log.split { $0 == " " || $0.isNewline }
        let server = try #require(words.last.flatMap { Int32($0) })
        let status = try Command.run(
            [Project.zonal, "status", "--config", "zonal.yaml", "--format", "json"],
            in: folder.path
        )
        let object = try JSONSerialization.jsonObject(with: Data(status.output.utf8))
        let listeners = (object as? [String: Any])?["listeners"] as? [String]
        let port = try #require(listeners?.first?.split(separator: ":").last.flatMap { UInt16($0) })
        #expect((object as? [String: Any])?["log-dropped"] as? Int == 0)

        // Refusals above the rate limit are logged.
        let stranger = try BoundSocket(kind: .datagram, address: "127.99.0.1")
        for _ in 0..<60 {
            stranger.send(QueryMessage.of("a.example"), to: BoundSocket.name("127.0.0.1", port))
        }
        for _ in 0..<10 {
            let answer = try Dig([
                "-b", "127.20.1.7", "-p", "\(port)", "@127.0.0.1", "db.internal.example",
            ])
            #expect(answer.data == ["127.20.1.1"])
        }
        try folder.write("wokers: 1\n", to: "zonal.yaml")
        kill(server, SIGHUP)
        kill(server, SIGTERM)
        #expect(try process.waitForExit().output.contains("ended 0"))
    }
}
