import DNSWire

/// Decides which VPC an address belongs to by the address alone.
///
/// If ranges of several VPCs contain an address, it belongs to the one VPC whose clients are not
/// identified by a listener or endpoint; to none if there is no such VPC, or several. Inbound
/// ranges may enclose ranges of VPCs; the more specific range applies.
struct RangeClaims {
    private var ranges = PrefixTable<Claimants>()
    private var inbound = PrefixTable<Claimants>()

    init(_ world: World) {
        let toldApart = world.toldApart()
        for (index, vpc) in world.vpcs.enumerated() {
            let claimant = Claimants(index, isToldApart: toldApart[index])
            for range in vpc.ranges { ranges.add(range, claimant, +) }
            for range in vpc.inbound { inbound.add(range, claimant, +) }
        }
    }

    var prefixes: [IPPrefix] { ranges.prefixes + inbound.prefixes }

    enum Ruling {
        /// No VPC has the addresses.
        case unclaimed
        /// Several VPCs have them, and none takes precedence.
        case disputed
        case member(vpc: Int, scope: ClientClass.Scope)
    }

    /// Returns the ruling for the addresses of a prefix; no other of `prefixes` is inside it.
    func ruling(on prefix: IPPrefix) -> Ruling {
        let owners = ranges.all(holding: prefix)
        let arrivals = inbound.longest(holding: prefix)
        let all = owners.reduce(Claimants()) { $0 + $1.value }
        let longest = owners.first?.length ?? -1
        guard let arrivals, arrivals.length >= longest else { return all.ruling { _ in .vpc } }
        if arrivals.length > longest { return arrivals.value.ruling { _ in .inbound } }
        return (all + arrivals.value).ruling { all.holds($0) ? .vpc : .inbound }
    }

    /// The VPCs that claim an address, reduced to what the ruling needs.
    private struct Claimants {
        /// VPCs whose clients are identified by listeners or endpoints, and the others.
        private var toldApart = Count.none
        private var others = Count.none

        private enum Count: Equatable {
            case none
            case one(Int)
            case several

            static func + (left: Count, right: Count) -> Count {
                switch (left, right) {
                case (.none, let count), (let count, .none): count
                default: left == right ? left : .several
                }
            }
        }

        init() {}

        init(_ vpc: Int, isToldApart: Bool) {
            if isToldApart { toldApart = .one(vpc) } else { others = .one(vpc) }
        }

        static func + (left: Claimants, right: Claimants) -> Claimants {
            var sum = left
            sum.toldApart = left.toldApart + right.toldApart
            sum.others = left.others + right.others
            return sum
        }

        /// Returns true if `vpc`, the VPC of a ruling, is among them.
        func holds(_ vpc: Int) -> Bool { toldApart == .one(vpc) || others == .one(vpc) }

        func ruling(scope: (Int) -> ClientClass.Scope) -> Ruling {
            switch (others, toldApart) {
            case (.none, .none): .unclaimed
            case (.one(let vpc), _), (.none, .one(let vpc)):
                .member(vpc: vpc, scope: scope(vpc))
            case (.several, _), (.none, .several): .disputed
            }
        }
    }
}
