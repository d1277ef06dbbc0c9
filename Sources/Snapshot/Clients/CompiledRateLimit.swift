package import DNSWire

/// The rate limits as they are applied; their snapshot frees them.
package struct CompiledRateLimit: Sendable, BitwiseCopyable {
    /// Microseconds that one reply uses up; nil without a limit.
    package let responseCost: UInt64?
    package let refusalCost: UInt64?
    package let slip: UInt64
    private let exempt: AddressMap

    init(_ limit: RateLimit) {
        responseCost = limit.responses.map(Self.cost)
        refusalCost = limit.refusals.map(Self.cost)
        slip = UInt64(max(limit.slip, 0))
        exempt = AddressMap(limit.exempt.map { ($0, 1) }, otherwise: 0)
    }

    func deallocate() { exempt.deallocate() }

    /// True of an address without a limit.
    package func exempts(_ address: IPAddress) -> Bool { exempt.value(for: address) == 1 }

    private static func cost(_ repliesPerSecond: Int) -> UInt64 {
        1_000_000 / UInt64(min(max(repliesPerSecond, 1), 1_000_000))
    }
}
