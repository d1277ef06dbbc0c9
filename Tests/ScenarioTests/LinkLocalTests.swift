import Foundation
import TestSupport
import Testing

/// Servers and upstreams with link-local addresses.
@Suite(
    .enabled(if: NetworkNamespaces.arePossible, "needs root, iproute2 and network namespaces"),
    .timeLimit(.minutes(3))
)
struct `Link-local servers` {
    /// A link between two hosts, with the interface names of both; `fe80::1` is the router.
    private final class Link {
        /// Folders of servers, kept as long as this exists.
        private var folders: [TemporaryFolder] = []
        let network: NetworkNamespaces
        let near: String
        let far: String

        init() throws {
            network = try NetworkNamespaces([.init("client", ["10.99.0.2"])])
            near = try Self.interface(of: "client", network)
            far = try Self.interface(of: "router", network)
        }

        private static func interface(of host: String, _ network: NetworkNamespaces) throws
            -> String
        {
            let links = try Command.run(
                network.on(host, ["ip", "-br", "link", "show", "type", "veth"])
            )
            let name = try #require(links.lines.first?.split { $0 == " " || $0 == "@" }.first)
            return String(name)
        }

        func run(_ host: String, _ command: String...) throws -> Command.Result {
            try Command.run(network.on(host, command))
        }

        /// Starts a server on a host.
        func serve(_ folder: TemporaryFolder, on host: String) throws -> RunningProcess {
            folders.append(folder)
            return try RunningProcess(
                network.on(host, [Project.zonal, "serve", "--config", "zonal.yaml"]),
                in: folder.path
            )
        }

        /// Returns the answer for `www.far.example` once the link is ready: a host first checks the
        /// link for duplicates of its address (RFC 4862 §5.4).
        func address() throws -> [String] {
            let deadline = Date(timeIntervalSinceNow: RunningProcess.patience)
            var data: [String] = []
            while data.isEmpty, Date() < deadline { data = try dig("www.far.example").data }
            return data
        }

        func dig(_ arguments: String...) throws -> Dig {
            try Dig(["@127.0.0.1", "-p", "5300"] + arguments, inside: network.on("client"))
        }
    }

    /// A server for all hosts on the link, with one answer that fits into a datagram and one that
    /// does not.
    private static func upstream(_ listener: String) throws -> TemporaryFolder {
        let text = String(repeating: "x", count: 250)
        let texts = (0..<8).map { "big TXT \"\($0)\(text)\"\n" }.joined()
        return try TemporaryFolder([
            "zonal.yaml": """
            listen: ["\(listener)"]
            control: control
            forward: []
            accounts: [{ id: "111122223333", availability-zones: { us-east-1a: use1-az4 } }]
            vpcs: [{ id: vpc-0a1, account: "111122223333", ranges: ["fe80::/10"] }]
            zones: [{ file: far.example.zone, vpcs: all }]
            """,
            "far.example.zone":
                "$TTL 60\n@ SOA ns h 1 1h 15m 1w 60\n@ NS ns\nns A 192.0.2.1\nwww A 198.51.100.4\n"
                + texts,
        ])
    }

    private static func forwarder(to upstreams: [String]) throws -> TemporaryFolder {
        let list = upstreams.map { "\"\($0)\"" }.joined(separator: ", ")
        return try TemporaryFolder([
            "zonal.yaml": """
            listen: ["127.0.0.1:5300"]
            control: control
            forward: [{ zone: ".", to: [\(list)] }]
            """
        ])
    }

    @Test func `are asked over their interface, by datagram and over TCP, and shown with it`()
        throws
    {
        let link = try Link()
        let upstream = try link.serve(try Self.upstream("[fe80::1%\(link.far)]:53"), on: "router")
        try upstream.waitForOutput { $0.contains("ready") }
        #expect(upstream.log.contains("listening on [fe80::1%\(link.far)]:53"))
        let name = "fe80::1%\(link.near)"
        let folder = try Self.forwarder(to: [name])
        let server = try link.serve(folder, on: "client")
        try server.waitForOutput { $0.contains("ready") }
        #expect(try link.address() == ["198.51.100.4"])
        #expect(try link.dig("+tcp", "big.far.example", "TXT").data.count == 8)

        let config = folder.file("zonal.yaml")
        let status = try link.run("client", Project.zonal, "status", "--config", config)
        #expect(status.output.contains("upstream \(name) up, "), "\(status)")
        let explained = try link.run(
            "client",
            Project.zonal,
            "explain",
            "--config",
            config,
            "--from",
            "127.0.0.1",
            "a.example"
        )
        #expect(explained.output.contains("to \(name)\n"), "\(explained)")
    }

    @Test func `are asked, and listened on, once their interface is there`() throws {
        let link = try Link()
        let folder = try Self.upstream("[fe80::7%late0]:5353")
        let text = try String(contentsOfFile: folder.file("zonal.yaml"), encoding: .utf8)
        try folder.write(
            text.replacing("listen: [", with: "listen: [\"127.0.0.1:5301\", "),
            to: "zonal.yaml"
        )
        let upstream = try link.serve(folder, on: "client")
        try upstream.waitForOutput { $0.contains("ready") }
        try upstream.waitForOutput { $0.contains("cannot listen on [fe80::7%late0]:5353") }
        #expect(!upstream.log.contains("listening on [fe80::7%late0]"))
        let server = try link.serve(try Self.forwarder(to: ["[fe80::7%late0]:5353"]), on: "client")
        try server.waitForOutput { $0.contains("ready") }
        #expect(try link.dig("www.far.example").rcode == "SERVFAIL")
        let config = folder.file("zonal.yaml")
        let before = try link.run("client", Project.zonal, "status", "--config", config)
        #expect(before.output.contains("waiting for the address of [fe80::7%late0]:5353"))

        _ = try link.run(
            "client",
            "ip",
            "link",
            "add",
            "late0",
            "type",
            "veth",
            "peer",
            "name",
            "late1"
        )
        _ = try link.run("client", "ip", "link", "set", "late0", "up")
        _ = try link.run("client", "ip", "link", "set", "late1", "up")
        _ = try link.run("client", "ip", "addr", "add", "fe80::7/64", "dev", "late0", "nodad")
        try upstream.waitForOutput {
            $0.contains("listening on [fe80::7%late0]:5353 (UDP, TCP) now")
        }
        #expect(try link.address() == ["198.51.100.4"])
        let after = try link.run("client", Project.zonal, "status", "--config", config)
        #expect(after.output.contains("listening on [fe80::7%late0]:5353"))
        for process in [server, upstream] {
            process.send(signal: SIGTERM)
            #expect(try process.waitForExit().status == 0)
        }
    }

    @Test func `are asked as resolv.conf has them, and those without an interface are not`() throws
    {
        let link = try Link()
        let upstream = try link.serve(try Self.upstream("[fe80::1%\(link.far)]:53"), on: "router")
        try upstream.waitForOutput { $0.contains("ready") }
        let folder = try TemporaryFolder([
            "zonal.yaml": "listen: [\"127.0.0.1:5300\"]\ncontrol: control\n",
            "resolv.conf": "nameserver fe80::1\nnameserver fe80::1%\(link.near)\n",
        ])
        // Mounts the file over /etc/resolv.conf for this process only.
        let mounted = "mount --bind \(folder.file("resolv.conf")) /etc/resolv.conf && exec \"$@\""
        let server = try RunningProcess(
            link.network.on(
                "client",
                ["sh", "-c", mounted, "sh", Project.zonal, "serve", "--config", "zonal.yaml"]
            ),
            in: folder.path
        )
        try server.waitForOutput { $0.contains("ready") }
        #expect(server.log.contains("/etc/resolv.conf names fe80::1 without an interface"))
        #expect(try link.address() == ["198.51.100.4"])
        let status = try link.run(
            "client",
            Project.zonal,
            "status",
            "--config",
            folder.file("zonal.yaml")
        )
        #expect(status.output.contains("\nsystem is fe80::1%\(link.near)\n"), "\(status)")
    }

    // MARK: Listeners without an address

    @Test func `default listeners do without IPv6, and say so`() throws {
        let link = try Link()
        _ = try link.run("client", "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
        let folder = try TemporaryFolder(["zonal.yaml": "forward: []\ncontrol: control\n"])
        let server = try link.serve(folder, on: "client")
        try server.waitForOutput { $0.contains("ready") }
        #expect(server.log.contains("the default listener [::1]:5300 is disabled"))
        #expect(try link.dig("localhost").data == ["127.0.0.1"])
        #expect(try link.dig("+tcp", "localhost").data == ["127.0.0.1"])
        let reload = try link.run(
            "client",
            Project.zonal,
            "reload",
            "--config",
            folder.file("zonal.yaml")
        )
        #expect(reload.output == "reloaded\n")
    }

    @Test
    func `listeners that the file names wait for their address beside others, else it ends with 2`()
        throws
    {
        let link = try Link()
        func folder(_ listeners: String) throws -> TemporaryFolder {
            try TemporaryFolder([
                "zonal.yaml": "listen: [\(listeners)]\nforward: []\ncontrol: control\n"
            ])
        }
        let alone = try link.serve(try folder("\"10.99.0.9:5300\""), on: "client")
        let (status, output) = try alone.waitForExit()
        #expect(status == 2)
        #expect(output.contains("cannot listen on 10.99.0.9:5300: Cannot assign requested address"))

        let both = try link.serve(
            try folder("\"10.99.0.9:5300\", \"127.0.0.1:5300\""),
            on: "client"
        )
        try both.waitForOutput { $0.contains("it is tried every second") }
        #expect(try link.dig("localhost").data == ["127.0.0.1"])
        _ = try link.run("client", "ip", "addr", "add", "10.99.0.9/32", "dev", "lo")
        try both.waitForOutput { $0.contains("listening on 10.99.0.9:5300 (UDP, TCP) now") }
        for transport in ["+notcp", "+tcp"] {
            let dig = try Dig(
                ["@10.99.0.9", "-b", "127.0.0.1", "-p", "5300", transport, "localhost"],
                inside: link.network.on("client")
            )
            #expect(dig.data == ["127.0.0.1"], "\(dig.text)")
        }
    }
}
