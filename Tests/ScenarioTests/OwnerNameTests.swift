import TestSupport
import Testing

/// Zone files with their owner's AZ names.
@Suite struct `Names that a file has in AZ names` {
    @Test(arguments: ["account", "owner"])
    func `are answered as they are written, and in AZ IDs, at every level`(labels: String) throws {
        let server = try ZonalServer(
            """
            forward: []
            accounts: [{ id: "111122223333", availability-zones: { us-east-1a: use1-az4 } }]
            vpcs: [{ id: vpc-0a1, account: "111122223333", ranges: [127.20.0.0/16] }]
            zones: [{ file: i.example.zone, vpcs: all, labels: \(labels), owner: "111122223333" }]
            """,
            files: [
                "i.example.zone": """
                $TTL 60
                @ SOA ns h 1 1h 15m 1w 60
                ns A 127.20.0.53
                y.x-us-east-1a A 127.20.1.1
                *.bucket.v-us-east-1a.s3 A 127.20.1.2
                both-us-east-1a A 127.20.1.3
                y.both-us-east-1a A 127.20.1.4

                """
            ]
        )
        for (name, address) in [
            ("y.x-us-east-1a", "127.20.1.1"), ("logs.bucket.v-us-east-1a.s3", "127.20.1.2"),
            ("both-us-east-1a", "127.20.1.3"), ("y.both-us-east-1a", "127.20.1.4"),
        ] {
            for written in [name, name.replacing("us-east-1a", with: "use1-az4")] {
                let dig = try server.dig("127.20.1.7", "\(written).i.example")
                #expect(dig.data == [address], "\(dig.text)")
            }
        }
        #expect(try server.dig("127.20.1.7", "z.x-us-east-1a.i.example").rcode == "NXDOMAIN")
    }
}
