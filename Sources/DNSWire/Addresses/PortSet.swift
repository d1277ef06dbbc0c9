/// Ports that one may be drawn from.
public struct PortSet: Hashable, Sendable {
    /// In ascending order, each once.
    public let ports: [UInt16]

    public init(_ ranges: [ClosedRange<UInt16>] = []) {
        var isIn = [Bool](repeating: false, count: 1 << 16)
        // Ranges that lie in each other are passed over, so that many of them cost no more than all ports.
        var next = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            for port in max(next, Int(range.lowerBound))..<max(next, Int(range.upperBound) + 1) {
                isIn[port] = true
            }
            next = max(next, Int(range.upperBound) + 1)
        }
        ports = isIn.indices.filter { isIn[$0] }.map { UInt16($0) }
    }

    private init(ascending ports: [UInt16]) { self.ports = ports }

    /// All that need no privilege.
    public static let unprivileged = PortSet([unprivilegedRange])
    /// The same as a range.
    public static let unprivilegedRange: ClosedRange<UInt16> = 1024...65_535

    public var count: Int { ports.count }

    public func subtracting(_ others: PortSet) -> PortSet {
        let excluded = Set(others.ports)
        return PortSet(ascending: ports.filter { !excluded.contains($0) })
    }
}
