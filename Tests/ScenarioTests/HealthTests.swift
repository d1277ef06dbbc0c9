import Foundation
import TestSupport
import Testing

/// Endpoints with and without listening servers, on addresses of 127.0.0.0/8.
@Suite struct `Health` {
    private static let zone = """
        $TTL 60
        @   SOA ns.example. h 1 1h 15m 1w 60
            NS  ns.example.
        api A   127.20.1.10
            A   127.20.2.10

        """

    private static func configuration(_ health: String) -> String {
        """
        forward: [{ zone: ".", to: ["127.0.0.1:9"] }]
        accounts:
          - id: "111122223333"
            availability-zones: { us-east-1a: use1-az4, us-east-1b: use1-az6 }
        vpcs:
          - id: vpc-0a1
            account: "111122223333"
            ranges: [127.20.0.0/16]
            subnets:
              - { id: subnet-0a1, ranges: [127.20.1.0/24], az: use1-az4 }
              - { id: subnet-0a2, ranges: [127.20.2.0/24], az: use1-az6 }
        zones: [{ file: app.example.zone, vpcs: all, health: { \(health) } }]

        """
    }

    /// Two listening endpoints and a server that checks them every second.
    private final class Lab {
        let port: UInt16
        var first: BoundSocket?
        var second: BoundSocket?
        let server: ZonalServer

        init() throws {
            let first = try Self.endpoint("127.20.1.10")
            port = first.port
            self.first = first
            second = try Self.endpoint("127.20.2.10", port: port)
            server = try ZonalServer(
                configuration("port: \(port), interval: 1s, timeout: 1s, rise: 1, fall: 2"),
                files: ["app.example.zone": zone]
            )
        }

        static func endpoint(_ address: String, port: UInt16 = 0) throws -> BoundSocket {
            let socket = try BoundSocket(kind: .stream, address: address, port: port)
            try socket.listen()
            return socket
        }

        /// Waits until the server has logged `text`.
        func wait(for text: String, times: Int = 1) throws {
            try server.process.waitForOutput { $0.components(separatedBy: text).count > times }
        }

        func addresses(_ source: String) throws -> [String] {
            try server.dig(source, "api.app.example").data
        }

        /// Returns the output of a command to the running server.
        func zonal(_ arguments: String...) throws -> Command.Result {
            try Command.run(
                [Project.zonal] + arguments + ["--config", "zonal.yaml"],
                in: server.folder.path
            )
        }
    }

    @Test func `an address nobody listens at leaves the answers until somebody does`() throws {
        let lab = try Lab()
        #expect(try lab.addresses("127.20.1.7") == ["127.20.1.10"])
        lab.first = nil
        try lab.wait(for: "127.20.1.10:\(lab.port) of app.example. is down: connection refused")
        #expect(try lab.addresses("127.20.1.7") == ["127.20.2.10"])
        #expect(try lab.addresses("127.20.2.7") == ["127.20.2.10"])
        #expect(try lab.addresses("127.20.9.7") == ["127.20.2.10"])
        #expect(try lab.server.dig("127.20.1.7", "+tcp", "api.app.example").data == ["127.20.2.10"])
        lab.first = try Lab.endpoint("127.20.1.10", port: lab.port)
        try lab.wait(for: "127.20.1.10:\(lab.port) of app.example. is up again")
        #expect(try lab.addresses("127.20.1.7") == ["127.20.1.10"])
    }

    @Test func `with all addresses down all are given, logged and counted`() throws {
        let lab = try Lab()
        (lab.first, lab.second) = (nil, nil)
        try lab.wait(for: "error zonal: [Server] no address of api.app.example. is up")
        #expect(try lab.addresses("127.20.1.7") == ["127.20.1.10", "127.20.2.10"])
        let tcp = try lab.server.dig("127.20.1.7", "+tcp", "api.app.example")
        #expect(tcp.data == ["127.20.1.10", "127.20.2.10"])
        let status = try lab.zonal("status")
        #expect(status.output.contains("failed-open 2, "))
        #expect(status.output.contains("app.example. 0/2 up\n"))
        lab.second = try Lab.endpoint("127.20.2.10", port: lab.port)
        try lab.wait(for: "api.app.example. has an address again that is up")
        #expect(try lab.addresses("127.20.1.7") == ["127.20.2.10"])
    }

    @Test func `status and explain show what is down, and why`() throws {
        let lab = try Lab()
        lab.first = nil
        try lab.wait(for: "is down")
        let status = try lab.zonal("status", "--format", "json")
        let parsed = try JSONSerialization.jsonObject(with: Data(status.output.utf8))
        let zones = (parsed as? [String: Any])?["zones"] as? [[String: Any]]
        let addresses = try #require(zones?.first?["addresses"] as? [[String: Any]])
        #expect(addresses.map { $0["address"] as? String } == ["127.20.1.10", "127.20.2.10"])
        #expect(addresses.map { $0["up"] as? Bool } == [false, true])
        #expect(addresses[0]["last-failure"] as? String == "connection refused")

        let live = try lab.zonal("explain", "--live", "--from", "127.20.1.7", "api.app.example")
        #expect(
            live.lines.filter { $0.contains(" A 127") } == [
                "  - api.app.example. 60 A 127.20.1.10   ; use1-az4, down, fails its health check, app.example.zone:4",
                "  + api.app.example. 60 A 127.20.2.10   ; use1-az6, up, none in the client's zone is up, app.example.zone:5",
            ]
        )
        let still = try lab.zonal("explain", "--from", "127.20.1.7", "api.app.example")
        #expect(
            still.output.contains("  + api.app.example. 60 A 127.20.1.10   ; use1-az4, same zone")
        )
    }

    @Test func `what is known of an address outlives a reload that leaves it there`() throws {
        let lab = try Lab()
        lab.first = nil
        try lab.wait(for: "is down")
        let more = Self.zone + "other A 127.20.1.10\n"
        try lab.server.folder.write(more, to: "app.example.zone")
        // The check interval is long, so the answer below does not come from a new check.
        let seldom = Self.configuration("port: \(lab.port), interval: 1h, rise: 1, fall: 10")
        try lab.server.folder.write(seldom + "control: control\n", to: "zonal.yaml")
        #expect(try lab.zonal("reload").output == "reloaded\n")
        #expect(try lab.addresses("127.20.1.7") == ["127.20.2.10"])
    }

    @Test func `a check over TLS passes at status 2xx and 3xx, whatever the certificate`() throws {
        let folder = try TemporaryFolder(["server.py": Self.webServer])
        try Command.run(
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=elsewhere.example",
                "-keyout", "key.pem", "-out", "cert.pem",
            ],
            in: folder.path
        )
        let web = try RunningProcess(["python3", "-u", "server.py"], in: folder.path)
        let log = try web.waitForOutput { $0.hasSuffix("\n") }
        let port = try #require(log.split(separator: "\n").first.flatMap { UInt16($0) })
        let server = try ZonalServer(
            Self.configuration(
                "port: \(port), https: /ready, interval: 1s, timeout: 1s, rise: 1, fall: 1"
            ),
            files: ["app.example.zone": Self.zone]
        )
        // 127.20.1.10 returns 503, 127.20.2.10 returns 204, and both log the Host header.
        try server.process.waitForOutput {
            $0.contains("127.20.1.10:\(port) of app.example. is down: HTTP status 503")
        }
        try web.waitForOutput { $0.contains("127.20.2.10 app.example /ready") }
        #expect(try server.dig("127.20.1.7", "api.app.example").data == ["127.20.2.10"])
        #expect(!server.process.log.contains("127.20.2.10:\(port) of app.example. is down"))
    }

    @Test func `a check over TLS fails where a connection is made and nothing is said`() throws {
        let silent = try Lab.endpoint("127.20.2.10")
        let server = try ZonalServer(
            Self.configuration(
                "port: \(silent.port), https: /, interval: 1s, timeout: 1s, rise: 1, fall: 1"
            ),
            files: ["app.example.zone": Self.zone]
        )
        try server.process.waitForOutput {
            $0.contains("127.20.2.10:\(silent.port) of app.example. is down: no answer in 1s")
        }
    }

    /// A server that accepts no connections, since its backlog is full: checks run into their
    /// timeout.
    private static let hole = """
        import socket, time
        hole = socket.socket()
        hole.bind(("0.0.0.0", 0))
        hole.listen(0)
        fill = []
        for _ in range(4):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(("127.0.0.1", hole.getsockname()[1]))
            fill.append(s)
        print("port", hole.getsockname()[1], flush=True)
        time.sleep(600)
        """

    @Test
    func `goes on after a reload that changes it while more addresses wait than there are places`()
        throws
    {
        let hole = try RunningProcess(["python3", "-c", Self.hole])
        let log = try hole.waitForOutput { $0.hasSuffix("\n") }
        let port = try #require(log.split(separator: " ").last.flatMap { Int($0.dropLast()) })
        let living = try Lab.endpoint("127.20.1.10")
        let dead = (0..<600).map { "h\($0) A 127.77.\($0 / 250).\(1 + $0 % 250)\n" }.joined()
        func configuration(_ interval: String) -> String {
            Self.configuration("port: \(living.port), interval: 1s, timeout: 1s, rise: 1, fall: 1")
                .replacing(
                    "zones: [",
                    with:
                        "zones: [{ file: dead.example.zone, vpcs: all, health: { port: \(port), interval: \(interval), timeout: 1s, rise: 1, fall: 1 } }, "
                )
        }
        let soa = "$TTL 60\n@ SOA ns h 1 1h 15m 1w 60\n"
        let server = try ZonalServer(
            configuration("2s"),
            files: [
                "app.example.zone": Self.zone.replacing("127.20.2.10", with: "127.20.1.11"),
                "dead.example.zone": soa + dead,
            ]
        )
        for interval in ["3s", "4s", "5s"] {
            try server.folder.write(
                configuration(interval) + "\ncontrol: control\n",
                to: "zonal.yaml"
            )
            #expect(try server.reload().contains("reloaded"))
        }
        try server.process.waitForOutput {
            $0.components(separatedBy: " of dead.example. is down").count > 600
        }
        let status = try Command.run(
            [Project.zonal, "status", "--config", "zonal.yaml"],
            in: server.folder.path
        )
        #expect(status.output.contains("602 addresses checked, "))
        withExtendedLifetime(living) {}
    }

    /// Two web servers on one port; the status depends on the address.
    private static let webServer = """
        import http.server, ssl, threading

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                address = self.connection.getsockname()[0]
                self.send_response(503 if address == "127.20.1.10" else 204)
                self.end_headers()
                print(address, self.headers["Host"], self.path, flush=True)

            def log_message(self, *arguments):
                pass

        def serve(address, port):
            server = http.server.ThreadingHTTPServer((address, port), Handler)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain("cert.pem", "key.pem")
            server.socket = context.wrap_socket(server.socket, server_side=True)
            threading.Thread(target=server.serve_forever).start()
            return server.server_address[1]

        port = serve("127.20.1.10", 0)
        serve("127.20.2.10", port)
        print(port, flush=True)

        """
}
