public import DNSWire

/// Which addresses of a snapshot are checked, and what depends on each.
public struct HealthPlan: Sendable {
    /// What is checked, by the number that address records have in the store.
    public fileprivate(set) var targets: [HealthTarget] = []
    /// Sets of addresses that answer some name together; names with equal sets share one.
    public fileprivate(set) var groups: [HealthGroup] = []
}

/// Makes a plan of addresses and names as they come.
struct HealthPlanBuilder {
    private(set) var plan = HealthPlan()
    private var numbers: [HealthTarget: UInt32] = [:]
    private var known: Set<[UInt32]> = []

    /// The target's number, a new one the first time.
    mutating func number(of target: HealthTarget) -> UInt32 {
        if let number = numbers[target] { return number }
        let number = UInt32(truncatingIfNeeded: plan.targets.count)
        numbers[target] = number
        plan.targets.append(target)
        return number
    }

    /// Notes that these targets are all that `name` has.
    mutating func note(_ targets: [UInt32], of name: DomainName) {
        guard known.insert(targets.sorted()).inserted else { return }
        plan.groups.append(HealthGroup(name: name, targets: targets.map(Int.init)))
    }
}

/// An address of a zone with the way in which it is checked, however many names have it.
public struct HealthTarget: Hashable, Sendable {
    public var address: IPAddress
    public var check: HealthCheck
    /// The zone's apex; what is asked for over TLS is asked of this name.
    public var zone: DomainName

    public init(address: IPAddress, check: HealthCheck, zone: DomainName) {
        self.address = address
        self.check = check
        self.zone = zone
    }

    /// What is asked of whom, alike for checks that differ in their times and numbers alone.
    public var withoutTiming: HealthTarget {
        var check = HealthCheck()
        (check.port, check.path) = (self.check.port, self.check.path)
        return HealthTarget(address: address, check: check, zone: zone)
    }
}

/// The addresses of one type that a name has.
public struct HealthGroup: Sendable {
    /// One of the names that have these addresses.
    public var name: DomainName
    /// Numbers of targets.
    public var targets: [Int]
}
