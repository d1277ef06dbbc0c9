import Foundation
import TestSupport
import Testing

/// Two ENIs as separate hosts, a resolver that checks them, and a client in the first one's AZ.
@Suite(.enabled(if: NetworkNamespaces.arePossible, "needs root, iproute2 and network namespaces"))
struct `The health of ENIs` {
    private static let configuration = """
        listen: ["10.20.1.2:53"]
        forward: [{ zone: ".", to: [192.0.2.53] }]
        control: control
        accounts:
          - id: "111122223333"
            availability-zones: { us-east-1a: use1-az4, us-east-1b: use1-az6 }
        vpcs:
          - id: vpc-0a1
            account: "111122223333"
            ranges: [10.20.0.0/16]
            subnets:
              - { id: subnet-0a1, ranges: [10.20.1.0/24], az: use1-az4 }
              - { id: subnet-0a2, ranges: [10.20.2.0/24], az: use1-az6 }
        zones:
          - file: ssm.us-east-1.amazonaws.com.zone
            vpcs: all
            health: { port: 80, interval: 1s, timeout: 1s, rise: 1, fall: 2 }

        """

    private static let zone = """
        $TTL 60
        @   SOA ns.example. h 1 1h 15m 1w 60
            NS  ns.example.
            A   10.20.1.10
            A   10.20.2.10

        """

    private static let service = "ssm.us-east-1.amazonaws.com"

    /// A web server on a host, which returns the host's name.
    private static func serve(
        _ address: String,
        on host: String,
        of network: NetworkNamespaces
    ) throws -> (RunningProcess, TemporaryFolder) {
        let page = try TemporaryFolder(["index.html": "served by \(address)\n"])
        let server = ["python3", "-u", "-m", "http.server", "--bind", address, "80"]
        let process = try RunningProcess(network.on(host, server), in: page.path)
        try process.waitForOutput { $0.contains("Serving HTTP") }
        return (process, page)
    }

    @Test
    func `clients reach the other AZ's ENI while their own is down, and their own again after`()
        throws
    {
        let network = try NetworkNamespaces([
            .init("resolver", ["10.20.1.2"]),
            .init("eni-az4", ["10.20.1.10"]),
            .init("eni-az6", ["10.20.2.10"]),
            .init("client", ["10.20.1.7"], nameServers: ["10.20.1.2"]),
        ])
        let first = try Self.serve("10.20.1.10", on: "eni-az4", of: network)
        let second = try Self.serve("10.20.2.10", on: "eni-az6", of: network)
        let folder = try TemporaryFolder([
            "zonal.yaml": Self.configuration, "\(Self.service).zone": Self.zone,
        ])
        let serve = [Project.zonal, "serve", "--config", "zonal.yaml"]
        let server = try RunningProcess(network.on("resolver", serve), in: folder.path)
        try server.waitForOutput { $0.contains("ready") }
        func page() throws -> String {
            let curl = ["curl", "-sS", "--max-time", "10", "http://\(Self.service)/"]
            let result = try Command.run(network.on("client", curl))
            return result.output + result.complaints
        }
        #expect(try page() == "served by 10.20.1.10\n")

        try network.setLink(of: "eni-az4", isUp: false)
        try server.waitForOutput { $0.contains("10.20.1.10:80 of \(Self.service). is down: no") }
        #expect(try page() == "served by 10.20.2.10\n")
        let explain = [
            Project.zonal, "explain", "--live", "--config", "zonal.yaml", "--from", "10.20.1.7",
            Self.service,
        ]
        let explanation = try Command.run(explain, in: folder.path)
        #expect(
            explanation.output.contains("10.20.1.10   ; use1-az4, down, fails its health check")
        )

        try network.setLink(of: "eni-az4", isUp: true)
        try server.waitForOutput { $0.contains("10.20.1.10:80 of \(Self.service). is up again") }
        #expect(try page() == "served by 10.20.1.10\n")

        try network.setLink(of: "eni-az4", isUp: false)
        try network.setLink(of: "eni-az6", isUp: false)
        try server.waitForOutput { $0.contains("no address of \(Self.service). is up") }
        let dig = try Dig(["@10.20.1.2", Self.service], inside: network.on("client"))
        #expect(dig.data == ["10.20.1.10", "10.20.2.10"])
        withExtendedLifetime((first, second)) {}
    }
}
