/// A set of ports from which source ports are drawn.
public struct PortSet: Hashable, Sendable {
    /// The ports in ascending order, without duplicates.
    public let ports: [UInt16]

    public init(_ ranges: [ClosedRange<UInt16>] = []) {
        var isIn = [Bool](repeating: false, count: 1 << 16)
        // Overlapping ranges are merged, so that many of them cost no more than all ports.
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

    /// All unprivileged ports.
    public static let unprivileged = PortSet([unprivilegedRange])
    /// The range of unprivileged ports.
    public static let unprivilegedRange: ClosedRange<UInt16> = 1024...65_535

    public var count: Int { ports.count }

    public func subtracting(_ others: PortSet) -> PortSet {
        let excluded = Set(others.ports)
        return PortSet(ascending: ports.filter { !excluded.contains($0) })
    }
}
