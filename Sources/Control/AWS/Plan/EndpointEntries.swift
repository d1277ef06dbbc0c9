import DNSWire

/// The DNS names of one endpoint, split into endpoint-specific and private names.
struct EndpointEntries {
    private(set) var privateNames: Set<String> = []
    /// Private names whose hidden hosted zone does not exist yet.
    private(set) var pendingNames: Set<String> = []
    private(set) var specificNames: [SpecificName] = []
    /// Texts that are not valid names.
    private(set) var unreadable: [String] = []
    let recordTypes: RecordTypes
    /// Names of a resource or service-network endpoint.
    let fromAssociations: [EC2.DNSEntry]

    private static let pendingZone = "ZONEIDPENDING"

    init(_ endpoint: EC2.Endpoint, _ associations: [EC2.Association]) {
        recordTypes = RecordTypes(endpoint)
        fromAssociations = associations.flatMap { [$0.dnsEntry, $0.privateDnsEntry] }.compactMap {
            $0
        }
        let id = endpoint.vpcEndpointId ?? ""
        for entry in (endpoint.dnsEntries ?? []) + fromAssociations {
            guard let text = entry.dnsName?.lowercased() else { continue }
            guard Self.isName(text) else {
                unreadable.append(text)
                continue
            }
            if let name = SpecificName(text, endpoint: id) {
                if !specificNames.contains(where: { $0.text == text }) {
                    specificNames.append(name)
                }
            } else if Self.isWanted(text, endpoint.dnsOptions) {
                privateNames.insert(text)
                if entry.hostedZoneId == Self.pendingZone { pendingNames.insert(text) }
            }
        }
        specificNames.sort { $0.text < $1.text }
    }

    /// Returns true if the private-DNS preference of a resource endpoint includes the name.
    private static func isWanted(_ name: String, _ options: EC2.DNSOptions?) -> Bool {
        guard options?.privateDnsPreference?.uppercased() == "SPECIFIED_DOMAINS_ONLY" else {
            return true
        }
        return (options?.privateDnsSpecifiedDomains ?? []).contains { domain in
            let domain = domain.lowercased()
            return name == domain || name.hasSuffix(".\(domain)")
        }
    }

    /// Returns true for a host name, optionally with `*` as its first label; it is safe in files
    /// and paths.
    static func isName(_ text: String) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count >= 2, text.utf8.count <= 253 else { return false }
        let rest = labels.first == "*" ? labels.dropFirst() : labels[...]
        return rest.allSatisfy { label in
            (1...63).contains(label.utf8.count)
                && label.utf8.allSatisfy { $0.isSmallLetterOrDigit || "-_".utf8.contains($0) }
        }
    }

    /// Returns true for letters, digits, dots, hyphens and underscores only.
    static func isWord(_ text: String) -> Bool {
        (1...255).contains(text.utf8.count)
            && text.utf8.allSatisfy { $0.isLetter || $0.digit != nil || "-._".utf8.contains($0) }
    }

    /// A name such as `vpce-0123-4xl6i4zx-us-east-1a.ssm.us-east-1.vpce.amazonaws.com`.
    struct SpecificName {
        let text: String
        /// The zone that contains it: `us-east-1.vpce.amazonaws.com`.
        let apex: String
        /// The owner name in that zone, with the AZ name not yet converted to an ID.
        let owner: String
        /// The AZ name in the first label, in the naming of the owner's account.
        let azName: String?

        var isFormedByAWS: Bool { apex.contains(".vpce.") || apex.hasSuffix(".on.aws") }

        /// Parses a name; nil if it does not start with the endpoint's ID.
        init?(_ text: String, endpoint id: String) {
            let labels = text.split(separator: ".")
            let first = labels.first == "*" ? 1 : 0
            guard labels.count > first + 1, labels[first].hasPrefix(id) else { return nil }
            // The Region precedes the label `vpce`; names without that label have no Region.
            let mark = labels.indices.dropFirst(first + 2).first { labels[$0] == "vpce" }
            let apexStart = mark.map { $0 - 1 } ?? first + 1
            self.text = text
            apex = labels[apexStart...].joined(separator: ".")
            owner = labels[..<apexStart].joined(separator: ".")
            let rest = labels[first].dropFirst(id.count + 1)
            let isZonal = rest.count > 9 && rest.dropFirst(8).first == "-"
            azName = isZonal ? String(rest.dropFirst(9)) : nil
        }

        /// Returns the owner with the AZ ID in place of the AZ name.
        func owner(inAZ azID: String) -> String {
            guard let azName, let range = owner.firstRange(of: "-\(azName)") else {
                return owner
            }
            return owner[..<range.lowerBound] + "-\(azID)" + owner[range.upperBound...]
        }
    }

    /// The address types of an endpoint's records.
    struct RecordTypes {
        private let choice: String

        init(_ endpoint: EC2.Endpoint) {
            choice =
                (endpoint.dnsOptions?.dnsRecordIpType ?? endpoint.ipAddressType ?? "ipv4")
                .lowercased()
        }

        func privateAddresses(_ addresses: [IPAddress]) -> [IPAddress] {
            choice == "service-defined" ? addresses.filter(\.isV4) : specificAddresses(addresses)
        }

        func specificAddresses(_ addresses: [IPAddress]) -> [IPAddress] {
            switch choice {
            case "ipv6": addresses.filter { !$0.isV4 }
            case "dualstack", "service-defined": addresses
            default: addresses.filter(\.isV4)
            }
        }
    }
}
