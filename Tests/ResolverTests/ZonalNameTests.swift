import DNSWire
import Resolver
import Snapshot
import Testing

/// An AZ name stands for its AZ ID in any label.
@Suite struct `A zonal name` {
    /// Clients of accounts that use us-east-1a, or us-east-1b, for use1-az4.
    private static let one = "10.20.1.7"
    private static let other = "10.30.1.7"

    private static var sample: SampleWorld {
        var sample = SampleWorld()
        sample.addZone(
            "internal.example",
            [
                ("y.x-use1-az4", .a, "10.20.1.1"), ("y.x-use1-az6", .a, "10.20.2.1"),
                ("*.bucket.v-use1-az4.s3", .a, "10.20.1.2"),
                ("both-use1-az4", .a, "10.20.1.3"), ("y.both-use1-az4", .a, "10.20.1.4"),
                ("a-use1-az6.b-use1-az4", .a, "10.20.1.5"),
                ("host.bastion-us-east-1a", .a, "10.20.1.6"),
                ("tree-use1-az4", .dname, "host"), ("leaf.host", .a, "10.20.1.7"),
                ("cut-use1-az4", .ns, "ns.cut-use1-az4"), ("empty.q-use1-az4", .a, "10.20.1.8"),
                ("y.q-us-east-1a", .a, "10.20.1.9"),
            ]
        ) { $0.affinity = .none }
        return sample
    }

    @Test(arguments: [
        ("y.x-@4", "10.20.1.1"), ("y.x-@6", "10.20.2.1"), ("Deep.Bucket.V-@4.s3", "10.20.1.2"),
        ("very.deep.bucket.v-@4.s3", "10.20.1.2"), ("both-@4", "10.20.1.3"),
        ("y.both-@4", "10.20.1.4"), ("a-@6.b-@4", "10.20.1.5"), ("a-use1-az6.b-@4", "10.20.1.5"),
        ("a-@6.b-use1-az4", "10.20.1.5"), ("empty.q-@4", "10.20.1.8"),
        ("leaf.tree-@4", "10.20.1.7"),
    ])
    func `is found by each account's names, and by AZ IDs, with what is below it`(
        name: String,
        address: String
    ) {
        let forms = [
            (Self.one, ["@4": "us-east-1a", "@6": "us-east-1b"]),
            (Self.other, ["@4": "us-east-1b", "@6": "us-east-1a"]),
            (Self.one, ["@4": "use1-az4", "@6": "use1-az6"]),
        ]
        for (source, names) in forms {
            let written = names.reduce(name) { $0.replacing($1.key, with: $1.value) }
            let answer = Self.sample.ask("\(written).internal.example", from: source)
            #expect(answer.addresses == [address], "\(written) from \(source)")
        }
    }

    @Test func `of which nothing is there is NXDOMAIN, and NODATA where something is below it`() {
        for name in [
            "z.x-us-east-1a", "bucket.v-us-east-1b.s3", "y.both-us-east-1b", "y.-us-east-1a",
        ] {
            let answer = Self.sample.ask("\(name).internal.example", from: Self.one)
            #expect(answer.rcode == .nonexistentDomain, "\(name)")
        }
        for name in ["x-us-east-1a", "bucket.v-us-east-1a.s3", "v-us-east-1a.s3"] {
            let answer = Self.sample.ask("\(name).internal.example", from: Self.one)
            #expect(answer.rcode == .noError && answer.answerCount == 0, "\(name)")
        }
    }

    @Test func `is below a cut whose label is zonal`() {
        let answer = Self.sample.ask("www.cut-us-east-1a.internal.example", from: Self.one)
        let same = Self.sample.ask("www.cut-use1-az4.internal.example", from: Self.one)
        #expect(answer.verdict == same.verdict && answer.rcode == same.rcode)
        #expect(answer.records.map(\.type) == same.records.map(\.type))
        #expect(answer.rcode != .nonexistentDomain)
    }

    @Test func `is an ordinary one where the zone has it as it is written`() {
        for (name, address) in [
            ("host.bastion-us-east-1a", "10.20.1.6"), ("y.q-us-east-1a", "10.20.1.9"),
        ] {
            let answer = Self.sample.ask("\(name).internal.example", from: Self.one)
            #expect(answer.addresses == [address], "\(name)")
        }
    }

    /// The translation lengthens or shortens labels, up to 63 octets, and names up to 255.
    @Test func `is found up to the greatest lengths`() {
        var sample = SampleWorld()
        let label = String(repeating: "l", count: 63 - 9) + "-use1-az4"
        let name = (0..<3).map { _ in label }.joined(separator: ".")
        sample.addZone("i.example", [(name, .a, "10.20.1.1"), ("s.\(name)", .a, "10.20.1.2")])
        for (prefix, address) in [("", "10.20.1.1"), ("s.", "10.20.1.2")] {
            #expect(
                sample.ask("\(prefix)\(name).i.example", from: Self.one).addresses == [address]
            )
        }
        // The same name in AZ names is too long for a label.
        let short = String(repeating: "l", count: 63 - 11) + "-us-east-1a"
        let asked = (0..<3).map { _ in short }.joined(separator: ".")
        #expect(sample.ask("\(asked).i.example", from: Self.one).rcode == .nonexistentDomain)
        sample = SampleWorld()
        let stored = short.replacing("us-east-1a", with: "use1-az4")
        sample.addZone(
            "i.example",
            [((0..<3).map { _ in stored }.joined(separator: "."), .a, "10.20.1.3")]
        )
        #expect(sample.ask("\(asked).i.example", from: Self.one).addresses == ["10.20.1.3"])
    }
}
