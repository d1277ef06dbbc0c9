import DNSWire

/// The addresses in private zones, and the clients that see these zones.
///
/// Used by `private-answers: guard` for each address in an upstream's answer.
struct ZoneAddresses: Sendable, BitwiseCopyable {
    private let v4: AddressTable<UInt32>
    private let v6: AddressTable<UInt128>
    /// The start of each audience in `viewers`; it ends where the next one starts.
    private let audienceStarts: FrozenArray<Int>
    /// Indices into `groups`.
    private let viewers: FrozenArray<Int>
    private let groups: FrozenArray<Group>
    private let members: FrozenArray<Int>
    /// The kinds of the addresses.
    let kinds: AddressKinds

    /// The clients that see a zone: those of these VPCs, in one `Audience`.
    private struct Group: BitwiseCopyable {
        var audience: Zone.Audience
        /// True for every VPC; `members` is empty then.
        var isEverywhere: Bool
        /// The start of its VPCs in `members`, sorted.
        var firstMember: Int
        var memberCount: Int
    }

    init(_ world: World) {
        var builder = Builder(world)
        for zone in world.zones { builder.add(zone) }
        let audiences = builder.finish()
        v4 = AddressTable(audiences.v4)
        v6 = AddressTable(audiences.v6)
        audienceStarts = FrozenArray(audiences.starts)
        viewers = FrozenArray(audiences.viewers)
        groups = FrozenArray(builder.groups)
        members = FrozenArray(builder.members)
        kinds = builder.kinds
    }

    func deallocate() {
        v4.deallocate()
        v6.deallocate()
        audienceStarts.deallocate()
        viewers.deallocate()
        groups.deallocate()
        members.deallocate()
    }

    /// Returns true if some private zone has the address and the client sees no such zone.
    ///
    /// An IPv6 address that embeds an IPv4 address (NAT64, 6to4) is looked up as that, too.
    @inline(__always)
    func isHidden(_ address: IPAddress, from client: ClientClass) -> Bool {
        let audience = address.isV4 ? v4.audience(of: address.v4) : v6.audience(of: address.bits)
        if let audience, !isAmong(audience, client) { return true }
        guard !address.isV4 else { return false }
        return address.mayLead { embedded in
            v4.audience(of: embedded.v4).map { !isAmong($0, client) } ?? false
        }
    }

    private func isAmong(_ audience: Int, _ client: ClientClass) -> Bool {
        guard let vpc = client.vpc else { return false }
        for index in audienceStarts[audience]..<audienceStarts[audience + 1] {
            if holds(groups[viewers[index]], vpc, client.scope) { return true }
        }
        return false
    }

    private func holds(_ group: Group, _ vpc: Int, _ scope: ClientClass.Scope) -> Bool {
        switch (group.audience, scope) {
        case (.all, .vpc), (.all, .inbound), (.inVPC, .vpc), (.inbound, .inbound): break
        default: return false
        }
        if group.isEverywhere { return true }
        var (low, high) = (group.firstMember, group.firstMember + group.memberCount)
        while low < high {
            let middle = (low + high) / 2
            if members[middle] == vpc { return true }
            if members[middle] < vpc { low = middle + 1 } else { high = middle }
        }
        return false
    }
}

// MARK: Compiling

extension ZoneAddresses {
    /// Collects the viewers of each address, zone by zone.
    private struct Builder {
        private let vpcCount: Int
        private(set) var groups: [Group] = []
        private(set) var members: [Int] = []
        private var groupNumbers: [GroupKey: Int] = [:]
        private(set) var kinds: AddressKinds = []
        private var v4 = Viewers<UInt32>()
        private var v6 = Viewers<UInt128>()

        private struct GroupKey: Hashable {
            var audience: Zone.Audience
            /// In ascending order; nil for all VPCs.
            var vpcs: [Int]?
        }

        init(_ world: World) { vpcCount = world.vpcs.count }

        mutating func add(_ zone: Zone) {
            let isEverywhere = zone.vpcs.count == vpcCount
            let vpcs = isEverywhere ? nil : zone.vpcs.sorted()
            let group = number(of: GroupKey(audience: zone.audience, vpcs: vpcs))
            for record in zone.contents.records {
                guard let address = zone.contents.address(of: record) else { continue }
                if kinds != .all { kinds.formUnion(AddressKinds(address)) }
                if address.isV4 {
                    v4.add(group, to: address.v4)
                } else {
                    v6.add(group, to: address.bits)
                }
            }
        }

        private mutating func number(of key: GroupKey) -> Int {
            if let known = groupNumbers[key] { return known }
            groups.append(
                Group(
                    audience: key.audience,
                    isEverywhere: key.vpcs == nil,
                    firstMember: members.count,
                    memberCount: key.vpcs?.count ?? 0
                )
            )
            members += key.vpcs ?? []
            groupNumbers[key] = groups.count - 1
            return groups.count - 1
        }

        /// Numbers the distinct sets of groups.
        func finish() -> (
            v4: [(UInt32, audience: Int)], v6: [(UInt128, audience: Int)], starts: [Int],
            viewers: [Int]
        ) {
            var audiences = Audiences()
            let (v4, v6) = (v4.numbered(in: &audiences), v6.numbered(in: &audiences))
            return (v4, v6, audiences.starts, audiences.viewers)
        }
    }

    /// The groups that see each address of a family; most addresses have one or two.
    private struct Viewers<Key: Hashable & Comparable> {
        private var first: [Key: Int] = [:]
        /// The further groups of an address, one for each further zone.
        private var further: [(key: Key, group: Int)] = []

        mutating func add(_ group: Int, to key: Key) {
            if let known = first[key] {
                if known != group { further.append((key, group)) }
            } else {
                first[key] = group
            }
        }

        func numbered(in audiences: inout Audiences) -> [(Key, audience: Int)] {
            var sets: [Key: Set<Int>] = [:]
            for (key, group) in further { sets[key, default: []].insert(group) }
            return first.map { key, group in
                var all = sets[key] ?? []
                all.insert(group)
                return (key, audiences.number(of: all.sorted()))
            }
        }
    }

    /// The distinct sets of groups, with numbers.
    private struct Audiences {
        private(set) var starts = [0]
        private(set) var viewers: [Int] = []
        private var numbers: [[Int]: Int] = [:]

        mutating func number(of groups: [Int]) -> Int {
            if let known = numbers[groups] { return known }
            let number = starts.count - 1
            numbers[groups] = number
            viewers += groups
            starts.append(viewers.count)
            return number
        }
    }
}
