import FoundationEssentials

/// The output of `aws ec2 describe-…`, as far as the import uses it.
///
/// Every member is optional: older AWS CLI versions omit unknown members, and a missing list means
/// an empty one.
enum EC2 {
    /// One file, or one page of a call; the list that is present shows which call.
    struct Page: Decodable {
        var nextToken: String?
        var availabilityZones: [Lenient<AvailabilityZone>]?
        var vpcs: [Lenient<VPC>]?
        var subnets: [Lenient<Subnet>]?
        var networkInterfaces: [Lenient<NetworkInterface>]?
        var vpcEndpoints: [Lenient<Endpoint>]?
        var vpcEndpointAssociations: [Lenient<Association>]?
        var serviceDetails: [Lenient<Service>]?
        var serviceConfigurations: [Lenient<ServiceConfiguration>]?
        var prefixLists: [Lenient<PrefixList>]?
        var routeTables: [Lenient<RouteTable>]?
        /// Set together with one of the two attributes: the output of `describe-vpc-attribute`.
        var vpcId: String?
        var enableDnsSupport: Attribute?
        var enableDnsHostnames: Attribute?

        /// The list that shows which call this is; nil if the import does not use it.
        var kind: String? {
            let kinds: [(String, Bool)] = [
                ("AvailabilityZones", availabilityZones != nil), ("Vpcs", vpcs != nil),
                ("Subnets", subnets != nil), ("NetworkInterfaces", networkInterfaces != nil),
                ("VpcEndpoints", vpcEndpoints != nil),
                ("VpcEndpointAssociations", vpcEndpointAssociations != nil),
                ("ServiceDetails", serviceDetails != nil),
                ("ServiceConfigurations", serviceConfigurations != nil),
                ("PrefixLists", prefixLists != nil), ("RouteTables", routeTables != nil),
                ("attribute", enableDnsSupport != nil || enableDnsHostnames != nil),
            ]
            return kinds.first { $0.1 }?.0
        }
    }

    struct Attribute: Decodable { var value: Bool? }

    struct AvailabilityZone: Decodable {
        var zoneName: String?
        var zoneId: String?
        var regionName: String?
    }

    struct CIDRState: Decodable { var state: String? }

    struct VPC: Decodable {
        var vpcId: String?
        var ownerId: String?
        var cidrBlock: String?
        var cidrBlockAssociationSet: [Block]?
        var ipv6CidrBlockAssociationSet: [BlockV6]?
        var tags: [Tag]?
    }

    struct Tag: Decodable {
        var key: String?
        var value: String?
    }

    struct Block: Decodable {
        var cidrBlock: String?
        var cidrBlockState: CIDRState?
    }

    struct BlockV6: Decodable {
        var ipv6CidrBlock: String?
        var ipv6CidrBlockState: CIDRState?
    }

    struct Subnet: Decodable {
        var subnetId: String?
        var vpcId: String?
        var ownerId: String?
        var availabilityZone: String?
        var availabilityZoneId: String?
        var cidrBlock: String?
        var ipv6CidrBlockAssociationSet: [BlockV6]?
    }

    struct AddressV6: Decodable { var ipv6Address: String? }

    struct NetworkInterface: Decodable {
        var networkInterfaceId: String?
        var vpcId: String?
        var subnetId: String?
        var privateIpAddress: String?
        var ipv6Addresses: [AddressV6]?
        var availabilityZone: String?
        var availabilityZoneId: String?
    }

    struct DNSEntry: Decodable {
        var dnsName: String?
        var hostedZoneId: String?
    }

    struct DNSOptions: Decodable {
        var dnsRecordIpType: String?
        var privateDnsOnlyForInboundResolverEndpoint: Bool?
        var privateDnsPreference: String?
        var privateDnsSpecifiedDomains: [String]?
    }

    struct Endpoint: Decodable {
        var vpcEndpointId: String?
        var vpcEndpointType: String?
        var vpcId: String?
        var serviceName: String?
        var serviceRegion: String?
        var state: String?
        var ownerId: String?
        var networkInterfaceIds: [String]?
        var routeTableIds: [String]?
        var privateDnsEnabled: Bool?
        var ipAddressType: String?
        var dnsOptions: DNSOptions?
        var dnsEntries: [DNSEntry]?
        var creationTimestamp: String?

        /// Returns true if both exports of this endpoint lead to the same answers.
        func agrees(with other: Self) -> Bool {
            func names(_ endpoint: Self) -> Set<String?> {
                Set((endpoint.dnsEntries ?? []).map { $0.dnsName?.lowercased() })
            }
            return state?.lowercased() == other.state?.lowercased()
                && privateDnsEnabled == other.privateDnsEnabled && names(self) == names(other)
                && Set(networkInterfaceIds ?? []) == Set(other.networkInterfaceIds ?? [])
        }
    }

    /// A DNS name of a resource or service-network endpoint.
    struct Association: Decodable {
        var vpcEndpointId: String?
        var dnsEntry: DNSEntry?
        var privateDnsEntry: DNSEntry?
    }

    /// An endpoint service as its consumers see it (`describe-vpc-endpoint-services`).
    struct Service: Decodable {
        var serviceName: String?
        var privateDnsName: String?
        var privateDnsNameVerificationState: String?
    }

    /// An endpoint service as its owner sees it (`describe-vpc-endpoint-service-configurations`).
    struct ServiceConfiguration: Decodable {
        var serviceName: String?
        var privateDnsName: String?
        var privateDnsNameConfiguration: Verification?
    }

    struct Verification: Decodable {
        var state: String?
        var value: String?
        var name: String?
    }

    struct PrefixList: Decodable {
        var prefixListId: String?
        var prefixListName: String?
        var cidrs: [String]?
    }

    struct RouteTable: Decodable {
        var routeTableId: String?
        var routes: [Route]?
    }

    struct Route: Decodable {
        var destinationPrefixListId: String?
        var gatewayId: String?
    }
}

/// A list element that may fail to decode; its error is reported and the list is kept.
struct Lenient<Element: Decodable>: Decodable {
    /// The element, or why it cannot be decoded.
    var result: Result<Element, Fault>

    struct Fault: Error {
        /// The element's ID, if it can be decoded.
        var id: String?
        /// The member that is wrong, and why.
        var message: String
    }

    init(from decoder: any Decoder) throws {
        do {
            result = .success(try Element(from: decoder))
        } catch let error as DecodingError {
            result = .failure(Fault(id: Self.id(in: decoder), message: error.message))
        }
    }

    private static func id(in decoder: any Decoder) -> String? {
        let container = try? decoder.container(keyedBy: EC2.Key.self)
        let keys = [
            "vpcEndpointId", "networkInterfaceId", "subnetId", "vpcId", "zoneId", "serviceName",
        ]
        for key in keys {
            if let id = try? container?.decode(String.self, forKey: EC2.Key(stringValue: key)) {
                return id
            }
        }
        return nil
    }
}

extension EC2 {
    /// Any key of an object.
    struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }

        init?(intValue: Int) { nil }
    }

    /// Makes a decoder that maps AWS's capitalized keys to Swift names.
    static func decoder() -> JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .custom { path in
            let key = path.last?.stringValue ?? ""
            return Key(stringValue: key.prefix(1).lowercased() + key.dropFirst())
        }
        return decoder
    }
}

extension DecodingError {
    /// The wrong member, as AWS spells it, and what is wrong.
    var message: String {
        switch self {
        case .typeMismatch(let type, let context):
            "\(Self.path(context)) is not \(Self.name(of: type))"
        case .valueNotFound(let type, let context):
            "\(Self.path(context)) is null, not \(Self.name(of: type))"
        case .keyNotFound(let key, _): "\(key.stringValue.capitalizedFirst) is missing"
        case .dataCorrupted(let context):
            context.codingPath.isEmpty
                ? "the text is not JSON: \(context.debugDescription)"
                : "\(Self.path(context)) cannot be read"
        @unknown default: "it cannot be read"
        }
    }

    /// Returns the path of members below the list element.
    private static func path(_ context: Context) -> String {
        let element = context.codingPath.firstIndex { $0.intValue != nil }
        let members = context.codingPath[(element.map { $0 + 1 } ?? 0)...]
        let path = members.filter { $0.intValue == nil }.map(\.stringValue.capitalizedFirst)
        return path.isEmpty ? "the text" : path.joined(separator: ".")
    }

    private static func name(of type: Any.Type) -> String {
        switch type {
        case is String.Type: "a string"
        case is Bool.Type: "true or false"
        case is any ExpressibleByArrayLiteral.Type: "a list"
        default: "an object"
        }
    }
}

extension String {
    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
