import DNSWire

/// The upstreams that a worker has asked, and the sets of them that rules use.
struct Servers: ~Copyable {
    /// Upstreams within 50 ms of the fastest share the questions.
    private static let band = RoundTripTime.scaled(50)
    /// The numbers of sets and upstreams that are remembered; reloads may add any number of them.
    private static let (setLimit, serverLimit) = (1_024, 4_096)

    private var records = Slots<ServerRecord>()
    private var numbers: [AddressAndPort: Int] = [:]
    private var sets = Slots<ServerSet>()
    /// The numbers of each set's servers, one set after another.
    private var members = Table<UInt32>()
    /// When a dead upstream last answered again; 0 if none ever did.
    private(set) var lastRevival: Milliseconds = 0

    // MARK: Sets

    /// Adds a set and returns its ID; the set has to be added again once it is forgotten.
    mutating func add(_ servers: [AddressAndPort], traits: ServerSet.Traits) -> SlotID {
        if isFull { forget() }
        let start = members.count
        for address in servers.prefix(Int(UInt16.max)) {
            members.append(UInt32(truncatingIfNeeded: number(of: address)))
        }
        return sets.add(
            ServerSet(
                traits: traits,
                firstMember: UInt32(truncatingIfNeeded: start),
                count: UInt16(truncatingIfNeeded: members.count - start)
            )
        )
    }

    /// The place of a set; nil once it is forgotten.
    func place(of set: SlotID) -> Int? { sets.place(of: set) }

    func id(ofSet place: Int) -> UpstreamSetID? { sets.id(at: place).map(UpstreamSetID.init) }

    subscript(set set: Int) -> ServerSet {
        @inline(__always) _read { yield sets[set] }
        @inline(__always) _modify { yield &sets[set] }
    }

    /// The number of known upstreams.
    var count: Int { records.count }

    private var isFull: Bool {
        sets.count >= Self.setLimit || records.count >= Self.serverLimit
    }

    /// Forgets sets that have no question in flight, and the upstreams that are in no other set.
    ///
    /// Sets of delegations go first. Their servers' addresses come from outside and may change with each answer, so
    /// that they would displace the upstreams of rules.
    private mutating func forget() {
        forgetSets { !$0.wantsRecursion }
        forgetServers()
        guard isFull else { return }
        forgetSets { _ in true }
        forgetServers()
    }

    private mutating func forgetSets(where isForgettable: (ServerSet.Traits) -> Bool) {
        var kept = Table<UInt32>()
        for place in 0..<sets.placeCount where sets.id(at: place) != nil {
            guard sets[place].room.isEmpty, isForgettable(sets[place].traits) else {
                let start = kept.count
                for index in 0..<Int(sets[place].count) {
                    kept.append(members[Int(sets[place].firstMember) + index])
                }
                sets[place].firstMember = UInt32(truncatingIfNeeded: start)
                continue
            }
            sets.remove(at: place)
        }
        swap(&kept, &members)
    }

    /// Forgets the upstreams that are in no set.
    private mutating func forgetServers() {
        var isNamed = Set<UInt32>()
        for index in 0..<members.count { isNamed.insert(members[index]) }
        for (address, number) in numbers
        where !isNamed.contains(UInt32(truncatingIfNeeded: number)) {
            records.remove(at: number)
            numbers[address] = nil
        }
    }

    private mutating func number(of address: AddressAndPort) -> Int {
        if let known = numbers[address] { return known }
        let number = Int(records.add(ServerRecord(address)).index)
        numbers[address] = number
        return number
    }

    // MARK: Choice

    /// The number of a set's server, by its position in the rule's list.
    @inline(__always)
    func server(_ place: Int, of set: Int) -> Int {
        Int(members[Int(sets[set].firstMember) + place])
    }

    subscript(server number: Int) -> ServerRecord {
        @inline(__always) _read { yield records[number] }
        @inline(__always) _modify { yield &records[number] }
    }

    /// Returns the order in which one question tries the upstreams of a set.
    ///
    /// First is a random one of the fast upstreams. Then follow the others by speed, those that
    /// refuse, and the dead ones. An upstream that has not answered yet counts as fast, so that it
    /// is tried.
    mutating func order(of set: Int, now: Milliseconds, random: inout RandomPool) -> UpstreamOrder {
        let all = Int(sets[set].count)
        if all == 1 { return UpstreamOrder(0, isAlive: !self[server: server(0, of: set)].isDead) }
        let count = min(all, UpstreamOrder.capacity)
        let start = count < all ? random.next(below: all) : 0
        var ranks = UpstreamRanks()
        for offset in 0..<count {
            let place = (start + offset) % all
            let record = self[server: server(place, of: set)]
            ranks.insert(
                place,
                rank: record.rank(at: now),
                isAlive: !record.isDead,
                random: &random
            )
        }
        return UpstreamOrder(ranks, band: Self.band, random: &random)
    }

    /// Returns the position of a dead upstream that is due for a probe.
    mutating func takeProbe(of set: Int, _ order: UpstreamOrder, now: Milliseconds) -> Int? {
        for index in Int(order.aliveCount)..<Int(order.count)
        where self[server: server(order[index], of: set)].takeProbe(now: now) {
            return order[index]
        }
        return nil
    }

    /// Notes that a message from an upstream belongs to a question.
    mutating func heard(_ number: Int, now: Milliseconds) {
        if records[number].heard(now: now) { lastRevival = now }
    }

    /// Returns a summary of an upstream for operators.
    func report(on address: AddressAndPort, now: Milliseconds) -> UpstreamReport {
        numbers[address].map { records[$0].report(at: now) } ?? UpstreamReport()
    }
}

/// The upstreams of one rule, and how much is in flight to them.
struct ServerSet: BitwiseCopyable {
    let traits: Traits
    fileprivate(set) var firstMember: UInt32
    let count: UInt16
    var room = Room()

    /// What questions to the set have in common.
    struct Traits: BitwiseCopyable {
        /// The rule's identity across reloads.
        let route: UInt64
        /// Whether names are sent in mixed case (0x20).
        let mixesCase: Bool
        /// Whether the upstreams' AD is trusted (RFC 6840 §5.7).
        let wantsAD: Bool
        /// Whether the upstreams are asked to query others (RD).
        let wantsRecursion: Bool
        /// The number of last labels that names of one domain have in common.
        let domainLabels: UInt8
    }
}
