import TestSupport
import Testing

/// Validating resolvers in front of a Zonal with a private zone below a signed one.
///
/// The signed parent delegates the private zone's name insecurely, as is usual for internal zones.
/// A validator queries the DS of that delegation and must get the parent's proof that there is
/// none.
@Suite(.serialized, .signedWorld)
struct `Validators in front` {
    @Test(arguments: [ValidatorKind.unbound, .bind, .knotResolver, .dnsmasq])
    func `accept a private zone below a signed parent that delegates it insecurely`(
        kind: ValidatorKind
    ) throws {
        try Self.expectPrivateZones(of: kind)
    }

    @Test(.enabled(if: ValidatorKind.powerDNS.obstacle == nil, "needs pdns-recursor"))
    func `accept it if they are PowerDNS Recursors`() throws {
        try Self.expectPrivateZones(of: .powerDNS)
    }

    @Test(
        .enabled(
            if: ValidatorKind.systemdResolved.obstacle == nil,
            "needs root, namespaces and systemd-resolved, which the tests do not install: its package makes it the machine's resolver"
        )
    )
    func `accept it if they are systemd-resolved`() throws {
        try Self.expectPrivateZones(of: .systemdResolved)
    }

    private static func expectPrivateZones(of kind: ValidatorKind) throws {
        let world = try #require(SignedWorld.current)
        let front = try ValidatingForwarder(kind, to: world.zonal.port, anchor: world.anchor)
        func ask(_ arguments: String...) throws -> Dig {
            try Dig(
                ["-p", "\(front.port)", "@127.0.0.1", "+tries=2", "+time=10", "+dnssec"] + arguments
            )
        }
        // It does validate: a correct signature is accepted, a wrong one is not.
        let signed = try ask("www.example")
        #expect(signed.rcode == "NOERROR", "\(signed.text)")
        #expect(signed.flags.contains("ad"), "\(signed.text)")
        #expect(try ask("bad.example").rcode == "SERVFAIL")
        for (name, address) in [
            ("host.inside.example", "10.20.1.30"), ("www.inside.example", "10.20.1.30"),
            ("host.deep.inside.example", "10.20.1.31"), ("host.branch.example", "198.51.100.9"),
        ] {
            let dig = try ask(name)
            #expect(dig.rcode == "NOERROR", "\(kind.rawValue): \(dig.text)")
            #expect(dig.data.contains(address), "\(kind.rawValue): \(dig.text)")
            #expect(!dig.flags.contains("ad"))
        }
        #expect(try ask("missing.inside.example").rcode == "NXDOMAIN")
        #expect(try ask("host.inside.example", "AAAA").rcode == "NOERROR")
    }
}

/// A signed root and a signed `example`, which delegates `inside.example` and `branch.example`
/// without DS; and a Zonal that has the first as a private zone with `deep.inside.example`, and a
/// rule for the second.
private final class SignedWorld: Sendable {
    @TaskLocal static var current: SignedWorld?

    let zonal: ZonalServer
    /// The DS of the root's key.
    let anchor: String
    private let parents: NSDServer
    private let branch: NSDServer

    init() throws {
        let example = try SignedZone("example", Self.example, proofs: .nsec)
        let root = try SignedZone(".", Self.root + example.delegationSigner + "\n", proofs: .nsec)
        anchor = root.delegationSigner
        // An address without a signature.
        let forged = example.text.replacing("198.51.100.66", with: "198.51.100.67")
        parents = try NSDServer([".": root.text, "example": forged])
        branch = try NSDServer(["branch.example": Self.branch])
        zonal = try ZonalServer(
            """
            accounts: [{ id: "111122223333", name: a }]
            vpcs: [{ id: vpc-0a11111111111111a, account: "111122223333", ranges: [127.0.0.0/8] }]
            forward:
              - { zone: ".", to: ["\(parents.endpoint)"] }
              - { zone: branch.example, to: ["\(branch.endpoint)"] }
            zones:
              - { file: inside.example.zone, vpcs: all }
              - { file: deep.inside.example.zone, vpcs: all }

            """,
            files: [
                "inside.example.zone": Self.soa + "host A 10.20.1.30\nwww CNAME host\n",
                "deep.inside.example.zone": Self.soa + "host A 10.20.1.31\n",
            ]
        )
    }

    private static let soa = """
        $TTL 60
        @ SOA ns.lab.invalid. ops.lab.invalid. 1 2h 15m 2w 60
        @ NS ns.lab.invalid.

        """

    private static let root = """
        $ORIGIN .
        $TTL 300
        @ SOA a.root. ops.root. 1 3600 900 604800 300
        @ NS a.root.
        a.root. A 127.0.0.1
        example. NS ns.example.
        ns.example. A 127.0.0.1

        """

    private static let example = """
        $ORIGIN example.
        $TTL 300
        @ SOA ns.example. ops.example. 1 3600 900 604800 300
        @ NS ns.example.
        ns A 127.0.0.1
        www A 198.51.100.80
        bad A 198.51.100.66
        inside NS ns.elsewhere.example.
        branch NS ns.elsewhere.example.
        ns.elsewhere A 127.0.0.1

        """

    private static let branch = """
        $ORIGIN branch.example.
        $TTL 300
        @ SOA ns.elsewhere.example. ops.example. 1 3600 900 604800 300
        @ NS ns.elsewhere.example.
        host A 198.51.100.9

        """
}

extension SuiteTrait where Self == SharedWorld<SignedWorld> {
    fileprivate static var signedWorld: Self {
        SharedWorld(SignedWorld.$current) { try SignedWorld() }
    }
}
