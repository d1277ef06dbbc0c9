import Control
import DNSWire
import Resolver
import Snapshot
import TestSupport

/// The world for messages: a VPC with a zone of all kinds of records, and rules.
enum FuzzWorld {
    static let seed = HashSeed(value: 11)
    static let client = Client(
        address: IPAddress(v4: 0x0A14_0107),
        listener: 0,
        transport: .datagram
    )

    private static let configuration = """
        listen: ["127.0.0.1:0"]
        forward:
          - { zone: ".", to: [192.0.2.53] }
          - { zone: corp.example, to: [192.0.2.54], private-answers: strip }
        accounts: [{ id: "111122223333", availability-zones: { us-east-1a: use1-az4 } }]
        vpcs:
          - id: vpc-0a1
            account: "111122223333"
            ranges: [10.20.0.0/16]
            subnets: [{ id: subnet-0a1, ranges: [10.20.1.0/24], az: use1-az4 }]
        zones:
          - { file: internal.example.zone, vpcs: [vpc-0a1] }
        identity: { name: resolver-1 }
        cookies: { secrets: ["00112233445566778899aabbccddeeff"] }
        """

    private static let zone = """
        $TTL 60
        @ SOA ns h 1 1h 15m 1w 60
        @ NS ns
        ns A 10.20.1.53
        db A 10.20.1.1
        db A 10.20.2.1
        db AAAA fd00::1
        db-use1-az4 A 10.20.1.2
        *.wild TXT "anything"
        a.deep.empty A 10.20.1.3
        alias CNAME db
        out CNAME www.example.org.
        corp CNAME www.corp.example.
        loop CNAME loop2
        loop2 CNAME loop
        old DNAME new
        child NS ns.child
        ns.child A 10.20.1.54
        svc HTTPS 1 . alpn=h2
        big TXT ( \(String(repeating: "\"\(String(repeating: "x", count: 250))\" ", count: 8)))
        """

    static let snapshot: CompiledSnapshot = {
        let files = TableLoader(files: [
            "zonal.yaml": Array(configuration.utf8),
            "internal.example.zone": Array(zone.utf8),
        ])
        var diagnostics = Diagnostics()
        let read = ConfigurationLoader(loader: files, system: SystemResolvers([]))
            .load(path: "zonal.yaml", diagnostics: &diagnostics)
        guard let read else { fatalError("\(diagnostics.all)") }
        return CompiledSnapshot(compiling: read.world, seed: seed)
    }()
}
