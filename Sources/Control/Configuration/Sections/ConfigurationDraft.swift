import DNSWire
import Snapshot

/// The entries of the files with their places, before references are resolved.
struct ConfigurationDraft {
    /// The main file: the place of everything that has its default.
    var file: String
    /// The files that are still to be read.
    var includes: [Placed<String>] = []
    /// Nil if no file has the key.
    var listeners: [ListenerDraft]?
    /// The place of the last `listen` list.
    var listenPlace: SourcePlace?
    var workers: Int?
    var clients = ClientPolicy()
    /// Nil if no file has the key.
    var rules: [RuleDraft]?
    var accounts: [AccountDraft] = []
    var vpcs: [VPCDraft] = []
    var endpoints: [EndpointDraft] = []
    var endpointServices: [EndpointService] = []
    var zones: [ZoneDraft] = []
    var cache = CacheSettings()
    var limits = ClientLimits()
    var identity = ServerIdentity()
    var cookies: CookiesDraft?
    var rateLimit = RateLimit()
    var outgoingPorts: Placed<[ClosedRange<UInt16>]>
    /// The path of the control socket, relative to the working directory; nil if no file has the
    /// key.
    var control: String?
    /// True if `empty: true` is set: having no VPC or no zone is intended.
    var mayBeEmpty = false
    /// The top-level keys of the files.
    var sections: Set<String> = []
    /// The top-level keys whose values have errors.
    var faulty: Set<String> = []
    /// The places of the keys whose values are secrets.
    var secrets: [SourcePlace] = []

    /// Makes the draft of a configuration without any key; `place` is that of its file.
    init(at place: SourcePlace) {
        file = place.file
        outgoingPorts = Placed([PortSet.unprivilegedRange], at: place)
    }

    /// Returns false if the value has an error, so that errors that follow from it should not be
    /// reported.
    func isSound(_ destination: PartialKeyPath<Self>) -> Bool {
        !faulty.contains(Self.key(destination))
    }
}

extension ConfigurationDraft: ConfigurationEntry {
    static let section = ConfigurationSection(
        ConfigurationDraft.init(at:),
        files + network + process,
        later: ["admin", "query-log"]
    )

    /// Files, listeners, clients and rules.
    private static let files: [ConfigurationKey<Self>] = [
        ConfigurationKey(
            "include",
            .places(.path),
            to: \.includes,
            .means(
                "Files to read before the entries of this one. An account, a VPC or a zone that two of them define is an error.",
                example: "include: [aws/topology.yaml]"
            )
        ),
        ConfigurationKey(
            "listen",
            .items("a listener", atMost: 1_000, "listeners"),
            to: \.listeners,
            otherwise: "\(ListenerDraft.defaults), less what this machine has no address for",
            .means(
                "Where the server listens, over UDP and TCP; up to 1,000 listeners.",
                .withRestart,
                example: """
                    listen:
                      - 127.0.0.1:53
                      - { address: "10.20.0.2:53", vpc: vpc-0a11111111111111a }
                    """
            )
        ),
        ConfigurationKey(
            "workers",
            .one(.count(1...1024)),
            to: \.workers,
            otherwise: "one a core",
            .means("Threads that answer datagrams.", .withRestart, example: "workers: 2")
        ),
        ConfigurationKey(
            "clients",
            .mapping,
            to: \.clients,
            .means(
                "Which clients may query, besides 127.0.0.1, ::1 and the clients of VPCs.",
                example: "clients: { allow: [192.0.2.0/24], otherwise: drop }"
            )
        ),
        ConfigurationKey(
            "forward",
            .items("a forwarding rule"),
            to: \.rules,
            otherwise: #"`[{ zone: ".", to: [system] }]`"#,
            .means(
                "Which upstreams are asked for names that no private zone answers. The rule with the longest matching zone applies; a rule beats a private zone of the same name, and a rule for a VPC one for all.",
                example: """
                    forward:
                      - { zone: ".", to: [system] }
                      - { zone: corp.example, to: [10.9.0.53, "10.9.1.53:5353"] }
                    """
            )
        ),
    ]

    /// The network, and the zones.
    private static let network: [ConfigurationKey<Self>] = [
        ConfigurationKey(
            "accounts",
            .items("an account"),
            to: \.accounts,
            .means(
                "The AWS accounts and their AZ names.",
                example: """
                    accounts:
                      - id: "111122223333"
                        availability-zones: { us-east-1a: use1-az4, us-east-1b: use1-az6 }
                    """
            )
        ),
        ConfigurationKey(
            "vpcs",
            .items("a VPC"),
            to: \.vpcs,
            .means(
                "The VPCs: which clients are in which of them.",
                example: """
                    vpcs:
                      - id: vpc-0a11111111111111a
                        account: "111122223333"
                        ranges: [10.20.0.0/16]
                        subnets:
                          - { id: subnet-0a1, ranges: [10.20.1.0/24], az: use1-az4 }
                    """
            )
        ),
        ConfigurationKey(
            "endpoints",
            .items("an endpoint"),
            to: \.endpoints,
            .means(
                "VPC endpoints, for `coverage`, `explain` and `check`; `zonal import aws` writes them. They answer nothing by themselves: what they answer stands in `zones`.",
                example: """
                    endpoints:
                      - { id: vpce-0aa11bb22cc33dd44, vpc: vpc-0a11111111111111a, service: com.amazonaws.us-east-1.ssm }
                    """
            )
        ),
        ConfigurationKey(
            "endpoint-services",
            .items("an endpoint service"),
            to: \.endpointServices,
            .means(
                "Endpoint services with a private name, for `verify`.",
                example: """
                    endpoint-services:
                      - { service: com.amazonaws.vpce.us-east-1.vpce-svc-0a1, name: api.example.com }
                    """
            )
        ),
        ConfigurationKey(
            "zones",
            .items("a zone"),
            to: \.zones,
            .means(
                "The private zones: which VPCs see which records.",
                example: """
                    zones:
                      - { file: internal.example.zone, vpcs: all }
                    """
            )
        ),
    ]

    /// Settings of the process.
    private static let process: [ConfigurationKey<Self>] = [
        ConfigurationKey(
            "cache",
            .mapping,
            to: \.cache,
            .means(
                "How much the cache holds, and for how long.",
                .withRestart,
                example: "cache: { size: 256MiB, serve-stale: 1h }"
            )
        ),
        ConfigurationKey(
            "identity",
            .mapping,
            to: \.identity,
            .means(
                "What the server tells clients about itself.",
                example: "identity: { name: az4-1 }"
            )
        ),
        ConfigurationKey(
            "cookies",
            .mapping,
            to: \.cookies,
            otherwise: "a random secret, new at every start",
            .means(
                "The secrets of DNS cookies (RFC 9018), for servers that share an address.",
                example: "cookies: { secrets: [00112233445566778899aabbccddeeff] }"
            )
        ).withSecrets(),
        ConfigurationKey(
            "rate-limit",
            .mapping,
            to: \.rateLimit,
            .means(
                "How many replies over UDP a network of clients gets in a second.",
                example: "rate-limit: { responses: 2000 }"
            )
        ),
        ConfigurationKey(
            "outgoing-ports",
            .placed(list: .ports),
            to: \.outgoingPorts,
            .means(
                "UDP ports that queries to upstreams are sent from; each socket has a random one. Ports that /proc/sys/net/ipv4/ip_local_reserved_ports lists are left out: name there, or leave out here, what other services of the machine listen on. Ports below 1024 are an error, and `check` warns of fewer than 4,096.",
                example: "outgoing-ports: [20000-29999]"
            )
        ),
        ConfigurationKey(
            "limits",
            .mapping,
            to: \.limits,
            .means(
                "What one client, and all of them together, may use of the server. A NAT, a node that forwards for its pods, or another resolver is one client: raise the limits where such clients ask.",
                .withRestart,
                example: "limits: { tcp-connections: 4096, waiting-per-client: 20000 }"
            )
        ),
        ConfigurationKey(
            "control",
            .controlPath,
            to: \.control,
            otherwise: "a path of its own for each configuration",
            .means(
                "The path of the control socket, up to 100 octets. Its folder must exist, and only the server's user may write to it.",
                .withRestart,
                example: "control: /run/zonal/control"
            )
        ),
        ConfigurationKey(
            "empty",
            .one(.truth),
            to: \.mayBeEmpty,
            .means(
                "`true`: this configuration is meant to have no VPC or no zone. Without it, a reload to such a configuration is refused if the one in force has some.",
                example: "empty: true"
            )
        ),
    ]
}

extension NodeForm<String> {
    /// The path of a socket, relative to the file that names it.
    fileprivate static var controlPath: Self {
        let type = ValueForm.controlPath(besides: "").expected
        return Self(type) { node, _, journal in
            node.value(.controlPath(besides: node.place.file), journal)
        }
    }
}

extension ValueForm<String> {
    /// The path of a socket, which the kernel limits in length.
    static func controlPath(besides file: String) -> ValueForm {
        ValueForm("a path such as /run/zonal/control") { (text) throws(ValueFault) in
            let path = PathText.path(text, besides: file)
            guard !text.isEmpty, path.utf8.count <= 100, !path.utf8.contains(0) else {
                throw ValueFault(
                    "`\(text.shown)` is not a valid path of a socket; write a path of 1 to 100 octets"
                )
            }
            return path
        }
    }
}
