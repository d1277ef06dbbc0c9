import TestSupport
import Testing

@Suite struct `A peered VPC in another Region` {
    private static let files = [
        "app.example.zone": """
        $TTL 60
        @ SOA ns hostmaster 1 1h 15m 1w 60
        @ NS ns
        @ A 127.20.1.10
        @ A 127.20.2.10
        db-use1-az4 A 127.20.1.30
        """
    ]

    /// `associated` are the VPCs that see the zone, whose addresses are in the first VPC.
    private static func server(_ associated: String, upstream: String) throws -> ZonalServer {
        try ZonalServer(
            """
            accounts:
              - id: "111122223333"
                availability-zones: { us-east-1a: use1-az4, us-east-1b: use1-az6, us-west-2a: usw2-az2 }
            vpcs:
              - id: vpc-0a1
                account: "111122223333"
                region: us-east-1
                ranges: [127.20.0.0/16]
                subnets:
                  - { id: subnet-0a1, ranges: [127.20.1.0/24], az: use1-az4 }
                  - { id: subnet-0a2, ranges: [127.20.2.0/24], az: use1-az6 }
              - id: vpc-0d1
                account: "111122223333"
                region: us-west-2
                ranges: [127.40.0.0/16]
                subnets: [{ id: subnet-0d1, ranges: [127.40.1.0/24], az: usw2-az2 }]
            zones: [{ file: app.example.zone, vpcs: \(associated) }]
            forward: [{ zone: ".", to: ["\(upstream)"] }]
            """,
            files: files
        )
    }

    @Test func `gets all addresses of what it is associated with, since none is in its AZ`()
        throws
    {
        let upstream = try ScriptedUpstream { [Answer.address($0, [198, 51, 100, 80])] }
        let server = try Self.server("[vpc-0a1, vpc-0d1]", upstream: upstream.endpoint)
        #expect(try server.dig("127.20.1.7", "app.example").data == ["127.20.1.10"])
        #expect(
            try server.dig("127.40.1.7", "app.example").data == ["127.20.1.10", "127.20.2.10"]
        )
        let zonal = try server.dig("127.40.1.7", "db-us-east-1a.app.example")
        #expect(zonal.data == ["127.20.1.30"])
    }

    @Test func `gets the public answer where it is not associated, peered or not`() throws {
        let upstream = try ScriptedUpstream { [Answer.address($0, [198, 51, 100, 80])] }
        let server = try Self.server("[vpc-0a1]", upstream: upstream.endpoint)
        #expect(try server.dig("127.40.1.7", "app.example").data == ["198.51.100.80"])
    }
}
