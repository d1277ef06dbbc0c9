import TestSupport
import Testing

/// The answers of the sample world for all kinds of clients.
@Suite(.sampleServer)
struct `Views` {
    /// Returns the answer for a client at `source`.
    struct Row: CustomTestStringConvertible, Sendable {
        var source: String
        var question: String
        var rcode = "NOERROR"
        var data: [String] = []
        var isAuthoritative = true
        var hasSOA = false

        var testDescription: String { "\(source) \(question)" }
    }

    private static let zonal = "vpce-0f3c2a1b4d5e6f708-8yq2kz1a"
    private static let vpce = "ssm.us-east-1.vpce.amazonaws.com"
    private static let bucket = "logs.vpce-0aa11bb22cc33dd44-3v8m2q7n"

    static let rows: [Row] = [
        // The private DNS name: the address of the client's AZ in its VPC, the public one
        // elsewhere.
        Row(source: "127.20.1.7", question: "ssm.us-east-1.amazonaws.com A", data: ["127.20.1.10"]),
        Row(source: "127.20.2.7", question: "ssm.us-east-1.amazonaws.com A", data: ["127.20.2.10"]),
        Row(
            source: "127.20.9.7",
            question: "ssm.us-east-1.amazonaws.com A",
            data: ["127.20.1.10", "127.20.2.10"]
        ),
        Row(
            source: "127.192.0.7",
            question: "ssm.us-east-1.amazonaws.com A",
            data: ["127.20.1.10", "127.20.2.10"]
        ),
        Row(
            source: "127.30.1.7",
            question: "ssm.us-east-1.amazonaws.com A",
            data: ["198.51.100.80"],
            isAuthoritative: false
        ),
        Row(
            source: "127.0.0.1",
            question: "ssm.us-east-1.amazonaws.com A",
            data: ["198.51.100.80"],
            isAuthoritative: false
        ),
        Row(
            source: "127.99.0.1",
            question: "ssm.us-east-1.amazonaws.com A",
            rcode: "REFUSED",
            isAuthoritative: false
        ),
        Row(source: "127.20.1.7", question: "SSM.us-EAST-1.amazonaws.com A", data: ["127.20.1.10"]),

        // A type that the name lacks, and a name that the zone lacks: never forwarded.
        Row(source: "127.20.1.7", question: "ssm.us-east-1.amazonaws.com AAAA", hasSOA: true),
        Row(
            source: "127.0.0.1",
            question: "ssm.us-east-1.amazonaws.com AAAA",
            data: ["2001:db8:ffff::80"],
            isAuthoritative: false
        ),
        Row(
            source: "127.20.1.7",
            question: "x.ssm.us-east-1.amazonaws.com A",
            rcode: "NXDOMAIN",
            hasSOA: true
        ),

        // One name, an answer per account: us-east-1a is use1-az4 for A and use1-az6 for B.
        Row(source: "127.20.1.7", question: "\(zonal)-us-east-1a.\(vpce) A", data: ["127.20.1.10"]),
        Row(source: "127.30.1.7", question: "\(zonal)-us-east-1a.\(vpce) A", data: ["127.20.2.10"]),
        Row(source: "127.20.1.7", question: "\(zonal)-us-east-1b.\(vpce) A", data: ["127.20.2.10"]),
        Row(source: "127.30.1.7", question: "\(zonal)-us-east-1b.\(vpce) A", data: ["127.20.1.10"]),
        Row(
            source: "127.0.0.1",
            question: "\(zonal)-us-east-1a.\(vpce) A",
            data: ["198.51.100.82"],
            isAuthoritative: false
        ),
        // AZ IDs are the same for all clients.
        Row(source: "127.20.1.7", question: "\(zonal)-use1-az4.\(vpce) A", data: ["127.20.1.10"]),
        Row(source: "127.30.1.7", question: "\(zonal)-use1-az4.\(vpce) A", data: ["127.20.1.10"]),
        Row(
            source: "127.20.1.7",
            question: "\(zonal)-us-east-1c.\(vpce) A",
            rcode: "NXDOMAIN",
            hasSOA: true
        ),
        // The regional name: the address of the client's AZ.
        Row(source: "127.30.1.7", question: "\(zonal).\(vpce) A", data: ["127.20.2.10"]),

        // Wildcards below zonal names.
        Row(
            source: "127.30.1.7",
            question: "\(bucket).s3.us-east-1.vpce.amazonaws.com A",
            data: ["127.30.1.20"]
        ),
        Row(
            source: "127.30.1.7",
            question: "\(bucket)-us-east-1b.s3.us-east-1.vpce.amazonaws.com A",
            data: ["127.30.2.20"]
        ),
        Row(
            source: "127.20.1.7",
            question: "\(bucket)-us-east-1b.s3.us-east-1.vpce.amazonaws.com A",
            data: ["127.30.1.20"]
        ),

        // affinity: zonal-first, every type, aliases, DNAME, empty non-terminals, outside: nxdomain.
        Row(
            source: "127.20.1.7",
            question: "db.internal.example A",
            data: ["127.20.1.30", "127.20.2.30"]
        ),
        Row(
            source: "127.30.1.7",
            question: "db-us-east-1a.internal.example A",
            data: ["127.20.2.30"]
        ),
        Row(
            source: "127.0.0.1",
            question: "db.internal.example A",
            rcode: "NXDOMAIN"
        ),
        Row(
            source: "127.20.1.7",
            question: "internal.example MX",
            data: ["10 mail.internal.example."]
        ),
        Row(
            source: "127.20.1.7",
            question: "_https._tcp.internal.example SRV",
            data: ["0 0 443 db.internal.example."]
        ),
        Row(source: "127.20.1.7", question: "_tcp.internal.example A", hasSOA: true),
        Row(
            source: "127.20.1.7",
            question: "params.internal.example A",
            data: ["127.20.1.10", "ssm.us-east-1.amazonaws.com."]
        ),
        Row(
            source: "127.30.1.7",
            question: "params.internal.example A",
            data: ["198.51.100.80", "ssm.us-east-1.amazonaws.com."]
        ),
        Row(
            source: "127.20.1.7",
            question: "search.internal.example A",
            data: ["198.51.100.90", "example.org."]
        ),
        Row(source: "127.20.1.7", question: "worker-12.internal.example A", data: ["127.20.1.112"]),
        Row(
            source: "127.20.1.7",
            question: "x.old.internal.example A",
            data: [
                "127.20.1.40", "127.20.2.40", "apps.internal.example.", "x.apps.internal.example.",
            ]
        ),

        // An alias in an upstream's answer that points into a private zone.
        Row(
            source: "127.20.1.7",
            question: "to-private.example.org A",
            data: ["127.20.1.10", "ssm.us-east-1.amazonaws.com."],
            isAuthoritative: false
        ),
        Row(
            source: "127.30.1.7",
            question: "to-private.example.org A",
            data: ["198.51.100.80", "ssm.us-east-1.amazonaws.com."],
            isAuthoritative: false
        ),
        Row(
            source: "127.0.0.1",
            question: "to-private.example.org A",
            data: ["198.51.100.80", "ssm.us-east-1.amazonaws.com."],
            isAuthoritative: false
        ),

        // labels: owner is the same for all clients; fallthrough forwards.
        Row(
            source: "127.20.1.7",
            question: "api-us-east-1a.reports.example A",
            data: ["127.20.2.60"]
        ),
        Row(
            source: "127.30.1.7",
            question: "api-us-east-1a.reports.example A",
            data: ["127.20.2.60"]
        ),
        Row(
            source: "127.20.1.7",
            question: "api-use1-az4.reports.example A",
            data: ["127.20.1.60"]
        ),
        Row(
            source: "127.20.1.7",
            question: "missing.reports.example A",
            data: ["198.51.100.92"],
            isAuthoritative: false
        ),
    ]

    @Test(arguments: rows, ["+notcp", "+tcp"])
    func `each client gets its own answer, over UDP and over TCP`(
        row: Row,
        transport: String
    ) throws {
        let server = try #require(SampleServer.current).server
        let words = row.question.split(separator: " ").map(String.init)
        let dig = try server.dig(row.source, transport, words[0], words[1])
        #expect(dig.rcode == row.rcode, "\(dig.text)")
        #expect(dig.data == row.data, "\(dig.text)")
        #expect(dig.flags.contains("aa") == row.isAuthoritative, "\(dig.text)")
        #expect(dig.flags.isSuperset(of: ["qr", "rd", "ra"]))
        #expect(!row.hasSOA || dig.authority.contains { $0.contains(" SOA ") }, "\(dig.text)")
    }

    @Test func `with zonal-first the addresses of the client's zone stand in front`() throws {
        let server = try #require(SampleServer.current).server
        for _ in 0..<4 {
            let near = try server.dig("127.20.2.7", "db.internal.example").answer.first
            #expect(near?.hasSuffix("127.20.2.30") == true)
        }
    }

    @Test func `the letter case of the question is kept`() throws {
        let dig = try #require(SampleServer.current).server.dig(
            "127.20.1.7",
            "sSm.US-east-1.amazonAWS.com"
        )
        #expect(dig.text.contains(";sSm.US-east-1.amazonAWS.com."))
    }

    @Test func `an answer over the client's limit is truncated, and whole over TCP`() throws {
        let server = try #require(SampleServer.current).server
        let cut = try server.dig("127.0.0.1", "+ignore", "big.example.org", "TXT")
        #expect(cut.flags.contains("tc"))
        #expect(cut.answer.isEmpty)
        let whole = try server.dig("127.0.0.1", "big.example.org", "TXT")
        #expect(whole.answer.count == 1)
        #expect(whole.text.contains("(TCP)"))
    }

    @Test func `every reply to EDNS states 1232 octets`() throws {
        let server = try #require(SampleServer.current).server
        #expect(
            try server.dig("127.20.1.7", "ssm.us-east-1.amazonaws.com").text.contains("udp: 1232")
        )
        let plain = try server.dig("127.20.1.7", "+noedns", "ssm.us-east-1.amazonaws.com")
        #expect(!plain.text.contains("EDNS"))
    }

    @Test func `ANY gets one RRset of a private name and HINFO for a public one`() throws {
        let server = try #require(SampleServer.current).server
        #expect(try server.dig("127.20.1.7", "internal.example", "ANY").answer.count == 1)
        let other = try server.dig("127.0.0.1", "example.org", "ANY")
        #expect(other.answer.first?.contains("HINFO") == true)
    }
}

/// The sample world, served for all tests of a suite.
final class SampleServer: Sendable {
    @TaskLocal static var current: SampleServer?

    let upstream: NSDServer
    let server: ZonalServer

    init() throws {
        upstream = try PublicInternet.start()
        server = try ZonalServer.sample(upstream: upstream.endpoint)
    }
}

extension Trait where Self == SharedWorld<SampleServer> {
    /// The tests of the suite find the server in `SampleServer.current`.
    static var sampleServer: Self { SharedWorld(SampleServer.$current) { try SampleServer() } }
}
