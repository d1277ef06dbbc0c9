public import DNSWire
import Snapshot
public import Upstream

/// Limits the replies over UDP to each network (response rate limiting).
///
/// The source address of a datagram may be forged. A client is not limited if a cookie or a
/// connection proves its address.
public struct ReplyLimiter {
    private let rates: ReplyRates
    /// The time on the steady clock, which the owner updates.
    public var now: Milliseconds = 0
    public private(set) var counts = Counts()
    /// The network that was limited last.
    public private(set) var lastLimited: IPPrefix?
    private var dice: UInt64

    /// The numbers of queries over the limit.
    public struct Counts: Equatable, Sendable, BitwiseCopyable {
        /// Queries that got no reply.
        public var dropped: UInt64 = 0
        /// Queries that got an empty truncated reply.
        public var truncated: UInt64 = 0
    }

    /// What happens to a query.
    enum Ruling {
        case admit, truncate, drop
    }

    /// Creates the limiter of one thread; all threads share `rates`.
    public init(_ rates: ReplyRates) {
        self.rates = rates
        dice = .random(in: .min ... .max)
    }

    /// Decides about one query, and counts it if it is over the limit.
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

    /// Returns true for one in `slip` queries, chosen at random so that a sender cannot predict it.
    private mutating func slips(_ slip: UInt64) -> Bool {
        guard slip > 1 else { return slip == 1 }
        dice = dice &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (dice >> 33) % slip == 0
    }

    /// The network that shares a rate: the /24 of an IPv4 address, or the /56 of an IPv6 address.
    static func network(of address: IPAddress) -> IPPrefix {
        IPPrefix(around: address, v4: 24, v6: 56)
    }
}
