import DNSWire
import Snapshot

/// A VPC endpoint as written in a file.
struct EndpointDraft {
    var place: SourcePlace
    var id = ""
    var vpc: Placed<String>?
    var kind = Endpoint.Kind.interface
    var service: String?
    var state = Endpoint.available
    var names: [Placed<DomainName>] = []
    var verification: String?
    var prefixList: String?
    var prefixes: [IPPrefix] = []
    var routeTables: [String] = []
}

extension EndpointDraft: ConfigurationEntry {
    static let section = ConfigurationSection(
        { EndpointDraft(place: $0) },
        identity + names + routes
    ) { endpoint, entries, _ in endpoint.place = entries.place(of: \.id) }

    private static let identity: [ConfigurationKey<Self>] = [
        ConfigurationKey(
            essential: "id",
            .one(.endpointID),
            to: \.id,
            .means("The endpoint's ID.", example: "id: vpce-0aa11bb22cc33dd44")
        ),
        ConfigurationKey(
            required: "vpc",
            .placed(.vpcID),
            to: \.vpc,
            .means("The VPC that the endpoint is in.", example: "vpc: vpc-0a11111111111111a")
        ),
        ConfigurationKey(
            "type",
            .one(.word()),
            to: \.kind,
            .means("The endpoint's type.", example: "type: gateway")
        ),
        ConfigurationKey(
            "service",
            .one(.any("a service name")),
            to: \.service,
            .means("The service's name.", example: "service: com.amazonaws.us-east-1.ssm")
        ),
        ConfigurationKey(
            "state",
            .one(.endpointState),
            to: \.state,
            .means(
                "The state, as AWS says it. Only an endpoint that is `available` or `partial` has names.",
                example: "state: pendingAcceptance"
            )
        ),
    ]

    private static let names: [ConfigurationKey<Self>] = [
        ConfigurationKey(
            "names",
            .places(.domainName),
            to: \.names,
            .means(
                "Private names that the endpoint claims. Two available endpoints of one VPC that claim one name are an error.",
                example: "names: [ssm.us-east-1.amazonaws.com]"
            )
        ),
        ConfigurationKey(
            "verification",
            .one(.any("a state")),
            to: \.verification,
            .means(
                "Whether the owner of an endpoint service has proved its private name.",
                example: "verification: verified"
            )
        ),
    ]

    private static let routes: [ConfigurationKey<Self>] = [
        ConfigurationKey(
            "prefix-list",
            .one(.any("a prefix list's ID")),
            to: \.prefixList,
            .means(
                "Of a gateway endpoint: the prefix list that is routed to it.",
                example: "prefix-list: pl-63a5400a"
            )
        ),
        ConfigurationKey(
            "prefixes",
            .list(.prefix),
            to: \.prefixes,
            .means(
                "Of a gateway endpoint: the ranges that are routed to it.",
                example: "prefixes: [52.216.0.0/15]"
            )
        ),
        ConfigurationKey(
            "route-tables",
            .list(.any("a route table's ID")),
            to: \.routeTables,
            .means(
                "Of a gateway endpoint: the route tables that lead to it.",
                example: "route-tables: [rtb-0a1]"
            )
        ),
    ]
}

extension ValueForm<String> {
    /// The state of an endpoint, case-insensitive.
    fileprivate static let endpointState = ValueForm("a state such as \(Endpoint.available)") {
        (text) throws(ValueFault) in
        let state = text.lowercased()
        guard Endpoint.states.contains(state) else {
            let states = Endpoint.states.joined(separator: ", ")
            throw ValueFault(
                "`\(text.shown)` is not a state of an endpoint; write one of \(states)"
            )
        }
        return state
    }
}

extension EndpointService: ConfigurationEntry {
    static let section = ConfigurationSection(
        { _ in EndpointService(service: "", name: .root) },
        [
            ConfigurationKey(
                essential: "service",
                .one(.any("a service name")),
                to: \.service,
                .means(
                    "The service's name.",
                    example: "service: com.amazonaws.vpce.us-east-1.vpce-svc-0a1"
                )
            ),
            ConfigurationKey(
                essential: "name",
                .one(.domainName),
                to: \.name,
                .means("The private name of the service.", example: "name: api.example.com")
            ),
            ConfigurationKey(
                "verification",
                .one(.any("a state")),
                to: \.verification,
                .means(
                    "The state of the proof of the private name, as AWS says it.",
                    example: "verification: pendingVerification"
                )
            ),
            ConfigurationKey(
                "record",
                .one(.any("a label")),
                to: \.recordLabel,
                .means(
                    "The first label of the TXT record that proves the private name.",
                    example: "record: _6e86v84tqgqubxbwii1m"
                )
            ),
            ConfigurationKey(
                "value",
                .one(.any("a text")),
                to: \.recordValue,
                .means(
                    "The text of that record.",
                    example: #"value: "vpce:l6p0ERxlTt45jevFwOCp""#
                )
            ),
        ]
    )
}
