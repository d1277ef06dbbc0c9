import TestSupport
import Testing

/// Loops of forwarding rules between real servers.
@Suite struct `A forwarding loop` {
    private static let address: [UInt8] = [198, 51, 100, 7]

    private static func rule(_ port: UInt16, zone: String = ".") -> String {
        "forward: [{ zone: \"\(zone)\", to: [\"127.0.0.1:\(port)\"] }]\n"
    }

    /// Changes the upstream of a running server.
    private static func turn(_ server: ZonalServer, to port: UInt16) throws {
        try server.folder.write(rule(port), to: "zonal.yaml")
        _ = try server.reload()
    }

    private static func expectLoop(_ server: ZonalServer, through port: UInt16) throws {
        try server.process.waitForOutput {
            $0.contains("forwarding loop: 127.0.0.1:\(port) sends queries for")
        }
        let answer = try server.dig("127.0.0.1", "www.example.org")
        #expect(answer.rcode == "REFUSED")
        #expect(answer.text.contains("EDE: 49152"))
        let special = try server.dig("127.0.0.1", "localhost")
        #expect(special.data == ["127.0.0.1"])
    }

    @Test func `attack 43: a server that is its own upstream refuses, until it is told better`()
        throws
    {
        let upstream = try ScriptedUpstream { [Answer.address($0, Self.address)] }
        let server = try ZonalServer(Self.rule(upstream.port))
        #expect(try server.dig("127.0.0.1", "a.example.org").data == ["198.51.100.7"])
        try Self.turn(server, to: server.port)
        try Self.expectLoop(server, through: server.port)
        try Self.turn(server, to: upstream.port)
        #expect(try server.dig("127.0.0.1", "b.example.org").data == ["198.51.100.7"])
    }

    @Test
    func `attack 43: of two servers that ask each other, the one that closed the circle refuses`()
        throws
    {
        let upstream = try ScriptedUpstream { [Answer.address($0, Self.address)] }
        let one = try ZonalServer(Self.rule(upstream.port))
        let other = try ZonalServer(Self.rule(one.port))
        #expect(try other.dig("127.0.0.1", "a.example.org").data == ["198.51.100.7"])
        try Self.turn(one, to: other.port)
        try Self.expectLoop(one, through: other.port)
        let answer = try other.dig("127.0.0.1", "b.example.org")
        #expect(answer.rcode == "SERVFAIL")
        try Self.turn(one, to: upstream.port)
        #expect(try one.dig("127.0.0.1", "c.example.org").data == ["198.51.100.7"])
        #expect(try other.dig("127.0.0.1", "d.example.org").data == ["198.51.100.7"])
    }

    @Test func `attack 43: a circle through a rule for one zone leaves other names alone`() throws {
        let upstream = try ScriptedUpstream { [Answer.address($0, Self.address)] }
        let root = "{ zone: \".\", to: [\"\(upstream.endpoint)\"] }"
        let one = try ZonalServer("forward: [\(root)]\n")
        let other = try ZonalServer(Self.rule(one.port))
        try one.folder.write(
            "forward: [\(root), { zone: corp.example, to: [\"127.0.0.1:\(other.port)\"] }]\n",
            to: "zonal.yaml"
        )
        _ = try one.reload()
        try one.process.waitForOutput { $0.contains("sends queries for corp.example. back") }
        #expect(try one.dig("127.0.0.1", "db.corp.example").rcode == "REFUSED")
        #expect(try one.dig("127.0.0.1", "www.example.org").data == ["198.51.100.7"])
    }

    @Test func `attack 43: an upstream beside the one that loops is asked`() throws {
        let upstream = try ScriptedUpstream { [Answer.address($0, Self.address)] }
        let server = try ZonalServer(Self.rule(upstream.port))
        try server.folder.write(
            "forward: [{ zone: \".\", to: [\"127.0.0.1:\(server.port)\", \"\(upstream.endpoint)\"] }]\n",
            to: "zonal.yaml"
        )
        _ = try server.reload()
        try server.process.waitForOutput { $0.contains("forwarding loop: ") }
        for number in 0..<4 {
            let answer = try server.dig("127.0.0.1", "n\(number).example.org")
            #expect(answer.data == ["198.51.100.7"])
        }
    }

    @Test(arguments: Middle.allCases)
    fileprivate func `attack 43: a circle with somebody else's server in the middle is found`(
        middle: Middle
    )
        throws
    {
        let upstream = try ScriptedUpstream { [Answer.address($0, Self.address)] }
        let one = try ZonalServer(Self.rule(upstream.port))
        let other = try ZonalServer(Self.rule(one.port))
        let folder = try TemporaryFolder()
        let (port, process) = try FreePort.run {
            try middle.start(at: $0, asking: other.port, in: folder)
        }
        try Self.turn(one, to: port)
        try Self.expectLoop(one, through: port)
        withExtendedLifetime((process, folder)) {}
    }
}

/// A forwarder by other developers (dnsmasq).
private enum Middle: String, CaseIterable, Sendable {
    case dnsmasq, unbound

    /// Starts it; it forwards everything to a port of 127.0.0.1.
    func start(at port: UInt16, asking upstream: UInt16, in folder: TemporaryFolder) throws
        -> RunningProcess
    {
        let command: [String]
        switch self {
        case .dnsmasq:
            command = [
                "dnsmasq", "-k", "--conf-file=/dev/null", "--port=\(port)", "--user=", "--group=",
                "--listen-address=127.0.0.1", "--bind-interfaces", "--no-resolv", "--no-hosts",
                "--pid-file=", "--log-facility=-", "--server=127.0.0.1#\(upstream)",
            ]
        case .unbound:
            try folder.write(Self.unbound(port, upstream, folder.path), to: "unbound.conf")
            command = ["unbound", "-d", "-c", "unbound.conf"]
        }
        // dnsmasq closes all inherited descriptors, which `Process` would take for its end.
        let shell = ["sh", "-c", "\"$0\" \"$@\"; exit $?"]
        let process = try RunningProcess(shell + command, in: folder.path)
        try process.waitForOutput {
            $0.contains(self == .dnsmasq ? "cleared cache" : "start of service")
        }
        return process
    }

    private static func unbound(_ port: UInt16, _ upstream: UInt16, _ folder: String) -> String {
        ResolverText.unbound(
            at: port,
            in: folder,
            server: ["logfile: \"\"", "num-threads: 1", "module-config: \"iterator\""],
            """
            forward-zone:
              name: "."
              forward-addr: 127.0.0.1@\(upstream)
            """
        )
    }
}
