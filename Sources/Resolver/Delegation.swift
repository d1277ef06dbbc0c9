import DNSWire
import Snapshot

/// The delegation that the current name is at or below, and where its servers are for the client: the pipeline's
/// memory, used again for each query.
struct Delegation {
    /// The cut, whose NS records name the servers; nil before the first delegation.
    private(set) var node: Node?
    /// The private zone that has it.
    private(set) var zone = 0
    /// The cut's labels, and its keyed hash.
    private(set) var labelCount = 0
    private var hash: UInt64 = 0
    /// The current name is another one than what the client asked for: below a zonal name, in AZ IDs.
    private(set) var isRenamed = false
    /// Addresses that private zones have of the servers, each once.
    private(set) var addresses: [IPAddress] = []
    /// Servers whose addresses a rule knows.
    private(set) var lookups: [Lookup] = []
    /// Where they all come from, added up, so that their order does not matter.
    private var sources: UInt64 = 0

    /// Addresses that are asked; more servers than that only make a failure slower.
    static let addressLimit = 16
    /// Names that are looked up.
    static let lookupLimit = 4

    /// A server whose addresses a rule knows.
    struct Lookup: BitwiseCopyable {
        /// The number of its NS record.
        var record: Int
        var rule: Int
    }

    init() {
        addresses.reserveCapacity(Self.addressLimit)
        lookups.reserveCapacity(Self.lookupLimit)
    }

    /// Forgets the servers of another cut; `suffix` of `name` is this one.
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

    /// Notes an address that a private zone has.
    mutating func add(_ address: IPAddress, seed: HashSeed) {
        guard addresses.count < Self.addressLimit, !addresses.contains(address) else { return }
        addresses.append(address)
        let high = seed.hash(UInt64(truncatingIfNeeded: address.bits >> 64))
        sources &+= seed.hash(high ^ UInt64(truncatingIfNeeded: address.bits))
    }

    /// Notes a name that a rule is to be asked for.
    ///
    /// Its addresses come and go, so it is the name and the rule's identity that count.
    mutating func add(_ lookup: Lookup, of server: borrowing FoldedName, routeID: UInt64) {
        guard lookups.count < Self.lookupLimit else { return }
        lookups.append(lookup)
        let seed = server.hashSeed
        sources &+= seed.hash(server.hash(ofSuffix: 0) ^ seed.hash(routeID))
    }

    /// Identity across reloads: equal for a cut with the same servers, whoever sees it in whichever zone.
    func routeID(seed: HashSeed) -> UInt64 { seed.hash(sources ^ hash) }

    /// True if nobody can be asked.
    var isDead: Bool { addresses.isEmpty && lookups.isEmpty }

    /// True if a name that is routed to the delegation's zone is another one at or below the cut.
    ///
    /// The DS of the cut itself is not the servers' to tell.
    func covers(_ name: borrowing FoldedName, _ route: Route?, asked type: RecordType) -> Bool {
        let labels = name.labelCount - labelCount
        return route?.kind == .zone(zone) && labels >= (type == .ds ? 1 : 0)
            && name.hash(ofSuffix: labels) == hash
    }
}
