import DNSWire

/// A VPC as written in a file.
struct VPCDraft {
    var place: SourcePlace
    var id = ""
    var account: Placed<String>?
    var region: String?
    var ranges: [Placed<IPPrefix>] = []
    var inbound: [Placed<IPPrefix>] = []
    var endpoints: [Placed<String>] = []
    var subnets: [SubnetDraft] = []
}

extension VPCDraft: ConfigurationEntry {
    static let section = ConfigurationSection({ VPCDraft(place: $0) }, keys) { vpc, entries, _ in
        vpc.place = entries.place(of: \.id)
    }

    private static let keys: [ConfigurationKey<Self>] = [
        ConfigurationKey(
            essential: "id",
            .one(.vpcID),
            to: \.id,
            .means("The VPC's ID.", example: "id: vpc-0a11111111111111a")
        ),
        ConfigurationKey(
            required: "account",
            .placed(.accountID),
            to: \.account,
            .means("The account that owns the VPC.", example: #"account: "111122223333""#)
        ),
        ConfigurationKey(
            "region",
            .one(.any("a region")),
            to: \.region,
            .means("The Region, for people.", example: "region: us-east-1")
        ),
        ConfigurationKey(
            "ranges",
            .places(.prefix),
            to: \.ranges,
            .means(
                "All CIDR blocks of the VPC, of both families: a client with such an address is in it. Two VPCs may overlap only if a listener's `vpc`, or `endpoints` and a listener with `proxy-protocol`, tell their clients apart.",
                example: #"ranges: [10.20.0.0/16, 100.64.0.0/16, "2600:1f18:20::/56"]"#
            )
        ),
        ConfigurationKey(
            "inbound",
            .places(.prefix),
            to: \.inbound,
            .means(
                "Ranges that arrive through an inbound resolver endpoint (VPN, Direct Connect): their clients see the VPC's zones and are in no AZ. A VPC range inside of one is the more specific and wins.",
                example: "inbound: [192.168.0.0/16]"
            )
        ),
        ConfigurationKey(
            "endpoints",
            .places(.endpointID),
            to: \.endpoints,
            .means(
                "VPC endpoints, IDs of 32 characters at most: a client is in this VPC if a PROXY header names one of them.",
                example: "endpoints: [vpce-0aa11bb22cc33dd44]"
            )
        ),
        ConfigurationKey(
            "subnets",
            .items("a subnet"),
            to: \.subnets,
            .means(
                "The subnets, each in one AZ.",
                example: """
                    ranges: [10.20.0.0/16]
                    subnets:
                      - { id: subnet-0a1, ranges: [10.20.1.0/24], az: use1-az4 }
                    """
            )
        ),
    ]
}

/// A subnet as written in a file.
struct SubnetDraft {
    var place: SourcePlace
    var id = ""
    var ranges: [Placed<IPPrefix>] = []
    var az: Placed<AZReference>?
    var sharedWith: [Placed<String>] = []

    /// An availability zone as written for a subnet.
    enum AZReference: Sendable {
        case id(String)
        /// An AZ name of the VPC owner's account.
        case name(String)
    }
}

extension SubnetDraft: ConfigurationEntry {
    static let section = ConfigurationSection({ SubnetDraft(place: $0) }, keys) {
        subnet,
        entries,
        _ in
        subnet.place = entries.place(of: \.id)
    }

    private static let keys: [ConfigurationKey<Self>] = [
        ConfigurationKey(
            essential: "id",
            .one(.subnetID),
            to: \.id,
            .means("The subnet's ID.", example: "id: subnet-0a1")
        ),
        ConfigurationKey(
            "ranges",
            .places(.prefix),
            to: \.ranges,
            .means(
                "The CIDR blocks of the subnet, inside those of its VPC.",
                example: "ranges: [10.20.1.0/24]"
            )
        ),
        ConfigurationKey(
            required: "az",
            .placed(.azReference),
            to: \.az,
            .means(
                "The AZ of the subnet: its AZ ID, or the name that the VPC's owner has for it.",
                example: "az: use1-az4"
            )
        ),
        ConfigurationKey(
            "shared-with",
            .places(.accountID),
            to: \.sharedWith,
            .means(
                "The accounts that are participants of a shared subnet.",
                example: #"shared-with: ["444455556666"]"#
            )
        ),
    ]
}

extension ValueForm<SubnetDraft.AZReference> {
    /// An AZ ID or an AZ name.
    fileprivate static let azReference = ValueForm("an AZ ID such as use1-az4, or an AZ name") {
        (text) throws(ValueFault) in
        let text = text.lowercased()
        if AZForm.isID(text) { return .id(text) }
        if AZForm.isName(text) { return .name(text) }
        throw ValueFault(
            "`\(text.shown)` is neither an AZ ID nor an AZ name; write use1-az4 or us-east-1a"
        )
    }
}
