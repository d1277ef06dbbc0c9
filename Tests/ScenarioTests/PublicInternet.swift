import TestSupport

/// The public DNS of the tests, served by NSD.
enum PublicInternet {
    private static let head = """
        $TTL 300
        @ SOA ns.example.net. hostmaster.example.net. 1 1h 15m 1w 120
        @ NS ns.example.net.

        """

    static let zones = [
        "amazonaws.com": head + """
            ssm.us-east-1 60 A 198.51.100.80
            ssm.us-east-1 60 AAAA 2001:db8:ffff::80
            s3.us-east-1 A 198.51.100.81
            vpce-0f3c2a1b4d5e6f708-8yq2kz1a-us-east-1a.ssm.us-east-1.vpce A 198.51.100.82
            """,
        "example.org": head + """
            @ A 198.51.100.90
            www CNAME @
            to-private CNAME ssm.us-east-1.amazonaws.com.
            to-internal CNAME db.internal.example.
            to-worker CNAME worker-7.internal.example.
            mail MX 10 db.internal.example.
            srv SRV 0 0 443 db.internal.example.
            web HTTPS 1 db.internal.example. alpn=h2
            big TXT \(String(repeating: "\"" + String(repeating: "x", count: 200) + "\" ", count: 12))
            """,
        "example": head + "reports A 198.51.100.91\nmissing.reports A 198.51.100.92\n",
    ]

    static func start() throws -> NSDServer { try NSDServer(zones) }
}
