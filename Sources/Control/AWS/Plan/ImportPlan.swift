package import DNSWire
package import Snapshot

/// What an operator chooses for an import.
package struct ImportOptions: Sendable {
    package var affinity = Zone.Affinity.zonal
    package var labels = Zone.Labels.owner
    /// Ranges that arrive through an inbound resolver endpoint, by VPC ID.
    package var inbound: [String: [IPPrefix]] = [:]

    package init() {}
}

/// What will be written: every reference followed, everything in its final order.
struct ImportPlan {
    var accounts: [PlannedAccount] = []
    var vpcs: [PlannedVPC] = []
    var endpoints: [PlannedEndpoint] = []
    var services: [PlannedService] = []
    var zones: [PlannedZone] = []
    /// What a person should know and need not act on.
    var notes: [String] = []

    /// Gives each zone a file of its own, named after VPC and zone.
    ///
    /// A name that the file system cannot take, or that another zone has, is cut and numbered with a `~`,
    /// which no zone's name has.
    mutating func nameFiles() {
        var taken: Set<String> = []
        for index in zones.indices {
            let zone = zones[index]
            let name = "\(zone.apex)\(zone.isInboundOnly ? ".inbound" : "")"
            var file = "\(zone.vpc)/\(name).zone"
            var number = 2
            while name.utf8.count + 5 > Self.longestName || !taken.insert(file).inserted {
                file = "\(zone.vpc)/\(name.prefix(200))~\(number).zone"
                number += 1
                if taken.insert(file).inserted { break }
            }
            zones[index].file = file
        }
    }

    /// Octets of a name that Linux file systems take.
    private static let longestName = 255
}

struct PlannedAccount: Hashable {
    var id: String
    /// AZ name to AZ ID.
    var azs: [String: String]
}

struct PlannedVPC: Hashable {
    var id: String
    var name: String?
    var account: String
    var region: String?
    var ranges: [IPPrefix]
    var inbound: [IPPrefix]
    /// Endpoints of endpoint services: those whose ID a PROXY header may carry.
    var endpoints: [String]
    var subnets: [PlannedSubnet]
}

struct PlannedSubnet: Hashable {
    var id: String
    var ranges: [IPPrefix]
    var azID: String
    var sharedWith: [String]
}

struct PlannedEndpoint: Hashable {
    var id: String
    var vpc: String
    var kind: Endpoint.Kind
    var service: String?
    var state: String
    /// The private names that it claims, or would once it is available.
    var names: [String] = []
    var verification: String?
    var prefixList: String?
    var prefixes: [IPPrefix] = []
    var routeTables: [String] = []
}

/// An endpoint service of one of the accounts, with its private name.
struct PlannedService: Hashable {
    var service: String
    var name: String
    var verification: String?
    var recordLabel: String?
    var recordValue: String?
}

/// A zone file and its entry.
struct PlannedZone: Hashable {
    var vpc: String
    var apex: String
    /// The account whose AZ names the zonal names are; nil for a zone without any.
    var owner: String?
    var fallsThrough = false
    var isInboundOnly = false
    /// Addresses by owner name, written from the apex: `@`, `*`, `vpce-….ssm`.
    var records: [String: [IPAddress]] = [:]
    /// Where it is written, below the folder of the import.
    var file = ""
}
