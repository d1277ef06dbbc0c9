public import DNSWire
import Snapshot
public import Upstream

/// Which queries over UDP are answered, so that one network gets no more replies than its rate.
///
/// A source address over UDP may be forged. One that is shown to be true, by a cookie or a connection, is
/// not limited.
public struct ReplyLimiter {
    private let rates: ReplyRates
    /// The time on the steady clock; its owner keeps it right.
    public var now: Milliseconds = 0
    public private(set) var counts = Counts()
    /// The network that was limited last.
    public private(set) var lastLimited: IPPrefix?
    private var dice: UInt64

    /// Queries over the limit.
    public struct Counts: Equatable, Sendable, BitwiseCopyable {
        /// Those that got nothing.
        public var dropped: UInt64 = 0
        /// Those that got an empty truncated reply.
        public var truncated: UInt64 = 0
    }

    /// What becomes of a query.
    enum Ruling {
        case admit, truncate, drop
    }

    /// A limiter of one thread; `rates` are those of all.
    public init(_ rates: ReplyRates) {
        self.rates = rates
        dice = .random(in: .min ... .max)
    }

    /// Rules on one query, and counts it.
    mutating func rule(
        on client: Client,
        _ asker: ClientClass,
        in limit: CompiledRateLimit,
        mayTruncate: Bool
    ) -> Ruling {
        let isRefused = asker.scope == .refused || client.mayReplyToReplies
        guard let cost = isRefused ? limit.refusalCost : limit.responseCost else { return .admit }
        let network = Self.network(of: client.address)
        let hash = rates.hash(of: network, in: asker.group, isRefused: isRefused)
        guard !rates.take(cost, of: hash, now: now), !limit.exempts(client.address) else {
            return .admit
        }
        lastLimited = network
        guard mayTruncate, !client.mayReplyToReplies, slips(limit.slip) else {
            counts.dropped &+= 1
            return .drop
        }
        counts.truncated &+= 1
        return .truncate
    }

    /// One time in `slip`, at no time that a sender could know.
    private mutating func slips(_ slip: UInt64) -> Bool {
        guard slip > 1 else { return slip == 1 }
        dice = dice &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (dice >> 33) % slip == 0
    }

    /// What shares a rate: the /24 of an IPv4 address, the /56 of an IPv6 one.
    static func network(of address: IPAddress) -> IPPrefix {
        IPPrefix(around: address, v4: 24, v6: 56)
    }
}
