public import DNSWire

/// The addresses to check, and the names that depend on them.
public struct HealthPlan: Sendable {
    /// The targets; address records in the store refer to them by index.
    public fileprivate(set) var targets: [HealthTarget] = []
    /// Sets of addresses that together answer a name; names with equal sets share one.
    public fileprivate(set) var groups: [HealthGroup] = []
}

/// Builds a plan from addresses and names.
struct HealthPlanBuilder {
    private(set) var plan = HealthPlan()
    private var numbers: [HealthTarget: UInt32] = [:]
    private var known: Set<[UInt32]> = []

    /// Returns the target's number; adds the target if it is new.
    mutating func number(of target: HealthTarget) -> UInt32 {
        if let number = numbers[target] { return number }
        let number = UInt32(truncatingIfNeeded: plan.targets.count)
        numbers[target] = number
        plan.targets.append(target)
        return number
    }

    /// Adds the set of all targets of `name`.
    mutating func note(_ targets: [UInt32], of name: DomainName) {
        guard known.insert(targets.sorted()).inserted else { return }
        plan.groups.append(HealthGroup(name: name, targets: targets.map(Int.init)))
    }
}

/// An address of a zone with its health check; all names with the address share it.
public struct HealthTarget: Hashable, Sendable {
    public var address: IPAddress
    public var check: HealthCheck
    /// The zone's apex, which HTTPS checks use as host name.
    public var zone: DomainName

    public init(address: IPAddress, check: HealthCheck, zone: DomainName) {
        self.address = address
        self.check = check
        self.zone = zone
    }

    /// The target without its timing, for comparing checks that differ only in intervals and
    /// counts.
    public var withoutTiming: HealthTarget {
        var check = HealthCheck()
        (check.port, check.path) = (self.check.port, self.check.path)
        return HealthTarget(address: address, check: check, zone: zone)
    }
}

/// The addresses of one type of a name.
public struct HealthGroup: Sendable {
    /// One of the names with these addresses.
    public var name: DomainName
    /// Indices of targets.
    public var targets: [Int]
}
