import DNSWire
import Snapshot

/// The delegation that the current name is at or below, and its servers as the client finds them.
///
/// Each pipeline has one, whose memory is reused for each query.
struct Delegation {
    /// The cut, whose NS records name the servers; nil before the first delegation.
    private(set) var node: Node?
    /// The private zone that has the cut.
    private(set) var zone = 0
    /// The number of labels of the cut's name.
    private(set) var labelCount = 0
    /// The keyed hash of the cut's name.
    private var hash: UInt64 = 0
    /// True if AZ names in the current name were replaced by AZ IDs, so that it is not the client's
    /// name.
    private(set) var isRenamed = false
    /// The servers' addresses that private zones have, each once.
    private(set) var addresses: [IPAddress] = []
    /// The servers whose addresses have to be looked up by a rule.
    private(set) var lookups: [Lookup] = []
    /// The sum of the hashes of all addresses and lookups, which does not depend on their order.
    private var sources: UInt64 = 0

    /// The number of addresses that are asked; with more, only failures take longer.
    static let addressLimit = 16
    /// The number of servers that are looked up.
    static let lookupLimit = 4

    /// A server whose addresses have to be looked up by a rule.
    struct Lookup: BitwiseCopyable {
        /// The index of the server's NS record.
        var record: Int
        /// The index of the rule.
        var rule: Int
    }

    init() {
        addresses.reserveCapacity(Self.addressLimit)
        lookups.reserveCapacity(Self.lookupLimit)
    }

    /// Starts with another cut, which is at `suffix` of `name`, and forgets the servers of the last
    /// one.
    mutating func begin(
        _ node: Node,
        zone: Int,
        suffix: Int,
        of name: borrowing FoldedName,
        isRenamed: Bool
    ) {
        self.node = node
        self.zone = zone
        self.isRenamed = isRenamed
        labelCount = name.labelCount - suffix
        hash = name.hash(ofSuffix: suffix)
        addresses.removeAll(keepingCapacity: true)
        lookups.removeAll(keepingCapacity: true)
        sources = 0
    }

    /// Adds an address that a private zone has.
    mutating func add(_ address: IPAddress, seed: HashSeed) {
        guard addresses.count < Self.addressLimit, !addresses.contains(address) else { return }
        addresses.append(address)
        let high = seed.hash(UInt64(truncatingIfNeeded: address.bits >> 64))
        sources &+= seed.hash(high ^ UInt64(truncatingIfNeeded: address.bits))
    }

    /// Adds a server whose addresses a rule has to look up.
    ///
    /// The addresses may change, so the route ID depends on the server's name and the rule instead.
    mutating func add(_ lookup: Lookup, of server: borrowing FoldedName, routeID: UInt64) {
        guard lookups.count < Self.lookupLimit else { return }
        lookups.append(lookup)
        let seed = server.hashSeed
        sources &+= seed.hash(server.hash(ofSuffix: 0) ^ seed.hash(routeID))
    }

    /// Identifies the cut and its servers; equal across reloads, zones and views if these are
    /// equal.
    func routeID(seed: HashSeed) -> UInt64 { seed.hash(sources ^ hash) }

    /// True if no server can be asked.
    var isDead: Bool { addresses.isEmpty && lookups.isEmpty }

    /// Returns true if the name is at or below the cut, and is routed to the delegation's zone.
    ///
    /// The DS of the cut itself belongs to the parent zone, so the servers do not answer it.
    func covers(_ name: borrowing FoldedName, _ route: Route?, asked type: RecordType) -> Bool {
        let labels = name.labelCount - labelCount
        return route?.kind == .zone(zone) && labels >= (type == .ds ? 1 : 0)
            && name.hash(ofSuffix: labels) == hash
    }
}
