import Foundation
import TestSupport
import Testing

@Suite(
    .enabled(if: NetworkNamespaces.arePossible, "needs root, iproute2 and network namespaces"),
    .namespaceLab
)
struct `Network namespaces` {
    private static let service = "ssm.us-east-1.amazonaws.com"
    private static let zonal =
        "vpce-0f3c2a1b4d5e6f708-8yq2kz1a-us-east-1a.ssm.us-east-1.vpce.amazonaws.com"

    @Test(arguments: [
        ("client-a1", service, "10.20.1.10"), ("client-a2", service, "10.20.2.10"),
        ("client-b", service, "198.51.100.80"), ("outside", service, "198.51.100.80"),
        ("client-a1", zonal, "10.20.1.10"), ("client-a2", zonal, "10.20.1.10"),
        ("client-b", zonal, "10.20.2.10"), ("outside", zonal, "198.51.100.82"),
        ("client-v6", zonal, "10.20.1.10"),
    ])
    func `dig in each host gets the right address`(
        host: String,
        name: String,
        address: String
    ) throws {
        let lab = try #require(NamespaceLab.current)
        for transport in ["+notcp", "+tcp"] {
            let dig = try Dig([transport, name], inside: lab.network.on(host))
            #expect(dig.data == [address], "\(dig.text)")
        }
    }

    @Test(arguments: [
        ("client-a1", "10.20.1.10"), ("client-a2", "10.20.2.10"), ("client-b", "198.51.100.80"),
        ("outside", "198.51.100.80"),
    ])
    func `the C library of each host finds the service where dig does`(
        host: String,
        address: String
    ) throws {
        let result = try #require(NamespaceLab.current).run(
            host,
            "getent",
            "ahostsv4",
            Self.service
        )
        #expect(result.status == 0)
        #expect(result.lines.allSatisfy { $0.hasPrefix(address + " ") })
        #expect(!result.lines.isEmpty)
    }

    @Test(arguments: [
        ("client-a1", "2001:db8:20:1::10"), ("client-v6", "2001:db8:20:2::10"),
        ("outside", "2001:db8:ffff::80"),
    ])
    func `getent hosts finds the IPv6 address of the host's own zone`(
        host: String,
        address: String
    ) throws {
        let result = try #require(NamespaceLab.current).run(host, "getent", "hosts", Self.service)
        #expect(result.lines.first?.hasPrefix(address + " ") == true, "\(result)")
    }

    @Test func `a name of the VPC is visible only in the VPC`() throws {
        let lab = try #require(NamespaceLab.current)
        let inside = try lab.run("client-a2", "getent", "hosts", "db.internal.example")
        #expect(inside.lines.first?.hasPrefix("10.20.2.30 ") == true)
        #expect(try lab.run("outside", "getent", "hosts", "db.internal.example").status == 2)
    }

    @Test(arguments: [
        ("client-a1", "10.20.1.10"), ("client-a2", "10.20.2.10"), ("outside", "198.51.100.80"),
        ("client-b", "198.51.100.80"), ("client-v6", "2001:db8:20:2::10"),
    ])
    func `curl reaches the endpoint of the host's own zone by the public name`(
        host: String,
        address: String
    ) throws {
        let family = host == "client-v6" ? "-6" : "-4"
        let result = try #require(NamespaceLab.current).run(
            host,
            "curl",
            family,
            "-sS",
            "--max-time",
            "10",
            "http://\(Self.service)/"
        )
        #expect(result.output == "served by \(address)\n", "\(result.complaints)")
    }
}

/// The world of `zones/netns.yaml` as hosts: clients in two VPCs and outside, each with the
/// resolver in its `/etc/resolv.conf`, a web server at each ENI and at the public address, and NSD
/// as public DNS.
final class NamespaceLab: Sendable {
    @TaskLocal static var current: NamespaceLab?

    let network: NetworkNamespaces
    private let processes: [RunningProcess]
    private let upstream: NSDServer
    private let pages: [TemporaryFolder]

    init() throws {
        let resolver = ["10.20.1.2"]
        let network = try NetworkNamespaces([
            .init(
                "resolver",
                ["10.20.1.2", "2001:db8:20:1::2"],
                nameServers: ["198.51.100.53"]
            ),
            .init("eni-az4", ["10.20.1.10", "2001:db8:20:1::10"]),
            .init("eni-az6", ["10.20.2.10", "2001:db8:20:2::10"]),
            .init("public", ["198.51.100.53", "198.51.100.80"]),
            .init("client-a1", ["10.20.1.7"], nameServers: resolver),
            .init("client-a2", ["10.20.2.7"], nameServers: resolver),
            .init("client-b", ["10.30.1.7"], nameServers: resolver),
            .init("outside", ["198.51.100.7"], nameServers: resolver),
            .init("client-v6", ["2001:db8:20:2::7"], nameServers: ["2001:db8:20:1::2"]),
        ])
        self.network = network
        upstream = try NSDServer(
            PublicInternet.zones,
            address: "198.51.100.53",
            port: 53,
            inside: network.on("public")
        )
        var processes: [RunningProcess] = []
        var pages: [TemporaryFolder] = []
        for (host, address) in [
            ("eni-az4", "10.20.1.10"), ("eni-az6", "10.20.2.10"),
            ("eni-az6", "2001:db8:20:2::10"), ("public", "198.51.100.80"),
        ] {
            let page = try TemporaryFolder(["index.html": "served by \(address)\n"])
            let server = ["python3", "-u", "-m", "http.server", "--bind", address, "80"]
            let process = try RunningProcess(network.on(host, server), in: page.path)
            try process.waitForOutput { $0.contains("Serving HTTP") }
            pages.append(page)
            processes.append(process)
        }
        let zonal = [Project.zonal, "serve", "--config", "zones/netns.yaml"]
        let process = try RunningProcess(network.on("resolver", zonal), in: Project.path(""))
        try process.waitForOutput { $0.contains("ready") }
        self.processes = processes + [process]
        self.pages = pages
    }

    func run(_ host: String, _ command: String...) throws -> Command.Result {
        try Command.run(network.on(host, command))
    }
}

extension Trait where Self == SharedWorld<NamespaceLab> {
    /// The tests of the suite find a lab in `NamespaceLab.current`.
    static var namespaceLab: Self { SharedWorld(NamespaceLab.$current) { try NamespaceLab() } }
}
