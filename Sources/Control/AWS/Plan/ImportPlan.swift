package import DNSWire
package import Snapshot

/// The options of an import.
package struct ImportOptions: Sendable {
    package var affinity = Zone.Affinity.zonal
    package var labels = Zone.Labels.owner
    /// Ranges of clients that use an inbound resolver endpoint, by VPC ID.
    package var inbound: [String: [IPPrefix]] = [:]

    package init() {}
}

/// The data to be written, with all references resolved and in its final order.
struct ImportPlan {
    var accounts: [PlannedAccount] = []
    var vpcs: [PlannedVPC] = []
    var endpoints: [PlannedEndpoint] = []
    var services: [PlannedService] = []
    var zones: [PlannedZone] = []
    /// Remarks that require no action.
    var notes: [String] = []

    /// Gives each zone its own file, named after VPC and zone.
    ///
    /// A name that is too long for the file system, or already taken, is shortened and numbered
    /// with `~`, which zone names do not contain.
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

    /// The maximum length of a file name on Linux, in octets.
    private static let longestName = 255
}

struct PlannedAccount: Hashable {
    var id: String
    /// AZ IDs by AZ name.
    var azs: [String: String]
}

struct PlannedVPC: Hashable {
    var id: String
    var name: String?
    var account: String
    var region: String?
    var ranges: [IPPrefix]
    var inbound: [IPPrefix]
    /// Endpoints of endpoint services, whose IDs PROXY headers can carry.
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
    /// The private names that it claims, or will claim once it is available.
    var names: [String] = []
    var verification: String?
    var prefixList: String?
    var prefixes: [IPPrefix] = []
    var routeTables: [String] = []
}

/// An endpoint service of one of the accounts, with its private DNS name.
struct PlannedService: Hashable {
    var service: String
    var name: String
    var verification: String?
    var recordLabel: String?
    var recordValue: String?
}

/// A zone file and its entry in the topology.
struct PlannedZone: Hashable {
    var vpc: String
    var apex: String
    /// The account whose AZ names the zonal names use; nil if there are none.
    var owner: String?
    var fallsThrough = false
    var isInboundOnly = false
    /// Addresses by owner name relative to the apex: `@`, `*`, `vpce-….ssm`.
    var records: [String: [IPAddress]] = [:]
    /// The path of the file below the output folder.
    var file = ""
}
