public import DNSWire

/// The compiled rate limits; their snapshot frees them.
public struct CompiledRateLimit: Sendable, BitwiseCopyable {
    /// The cost of one reply in microseconds; nil for no limit.
    public let responseCost: UInt64?
    public let refusalCost: UInt64?
    public let slip: UInt64
    private let exempt: AddressMap

    init(_ limit: RateLimit) {
        responseCost = limit.responses.map(Self.cost)
        refusalCost = limit.refusals.map(Self.cost)
        slip = UInt64(max(limit.slip, 0))
        exempt = AddressMap(limit.exempt.map { ($0, 1) }, otherwise: 0)
    }

    func deallocate() { exempt.deallocate() }

    /// Returns true for an address without a limit.
    public func exempts(_ address: IPAddress) -> Bool { exempt.value(for: address) == 1 }

    private static func cost(_ repliesPerSecond: Int) -> UInt64 {
        1_000_000 / UInt64(min(max(repliesPerSecond, 1), 1_000_000))
    }
}
