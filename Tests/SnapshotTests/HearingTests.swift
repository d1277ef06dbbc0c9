import DNSWire
import TestSupport
import Testing

@testable import Snapshot

/// Compares decisions about senders with a model that searches every range.
@Suite struct `Accepting a sender` {
    @Test(arguments: 0..<30)
    func `is what a look at every range says`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<20 {
            let network = RandomNetwork.make(using: &random)
            let snapshot = CompiledSnapshot(compiling: network, seed: HashSeed(value: seed))
            for _ in 0..<100 {
                let sender = RandomNetwork.sender(using: &random)
                let found = sender.heard(in: snapshot, of: network)
                #expect(found == sender.expected(in: network), "\(sender) \(network)")
            }
        }
    }

    /// Compares the class before and after a reload: earlier queries keep their rights or lose
    /// them.
    @Test(arguments: 0..<30)
    func `after a reload never raises what came before it`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var (kept, ended) = (0, 0)
        for _ in 0..<40 {
            let (old, new) = (
                RandomNetwork.make(using: &random), RandomNetwork.make(using: &random)
            )
            let before = CompiledSnapshot(compiling: old, seed: HashSeed(value: 1))
            let after = CompiledSnapshot(compiling: new, seed: HashSeed(value: 1))
            for _ in 0..<100 {
                let sender = RandomNetwork.sender(using: &random)
                let goesOn = sender.standing(in: before).covers(sender.standing(in: after))
                let (earlier, later) = (sender.expected(in: old), sender.expected(in: new))
                let isRise = Self.isRise(from: earlier, to: later)
                #expect(goesOn == !isRise, "\(sender) \(earlier) \(later)")
                if goesOn { kept += 1 } else { ended += 1 }
            }
        }
        #expect(kept > 20 && ended > 100)
    }

    /// Returns whether the class is the same or lower: out of a VPC, or refused.
    private static func isRise(from old: RandomNetwork.Heard, to new: RandomNetwork.Heard) -> Bool {
        switch (old, new) {
        case (.nobody, _), (.proxy, _), (_, .nobody), (_, .proxy): true
        case (_, .client(.refused, _)): false
        case (.client(.refused, _), _): true
        case (_, .client(.outside, _)): false
        default: old != new
        }
    }

    private static let proxy = IPAddress(v4: 0x0A00_0001)

    private static func world(_ scope: ListenerScope) -> World {
        var world = World()
        world.accounts = [Account(id: "111122223333")]
        world.vpcs = [
            VPC(
                id: "vpc-a",
                account: 0,
                ranges: [IPPrefix(proxy, length: 112)],
                endpoints: ["vpce-1"]
            )
        ]
        world.listeners = [scope]
        return world
    }

    private static func heard(
        _ header: [UInt8],
        at scope: ListenerScope = ListenerScope(proxies: [IPPrefix(proxy, length: 128)])
    ) throws -> ClientClass? {
        let header = try #require(try ProxyHeader.read(header.span))
        let snapshot = CompiledSnapshot(compiling: world(scope), seed: HashSeed(value: 1))
        guard case .heard(let found) = snapshot.hear(proxy, listener: 0, header: header) else {
            return nil
        }
        return found
    }

    /// The proxy is in the VPC, like a load balancer.
    @Test func `classifies a proxy with LOCAL or UNSPEC as an outside client`() throws {
        let endpoint = ProxiedMessage.type(0xEA, [1] + "vpce-1".utf8)
        let addresses = [10, 0, 0, 2, 10, 0, 0, 1, 0, 1, 0, 53] as [UInt8]
        for header in [
            ProxiedMessage.local, ProxiedMessage.header(command: 0x20, addresses + endpoint),
            ProxiedMessage.header(family: 0, endpoint), ProxiedMessage.header(family: 0, []),
        ] {
            #expect(try Self.heard(header)?.scope == .outside)
        }
        let stranger = IPPrefix(IPAddress(v4: 0xC633_6401), length: 128)
        var world = Self.world(ListenerScope(proxies: [stranger]))
        let octets = ProxiedMessage.local
        let local = try ProxyHeader.read(octets.span)
        for (allow, scope) in [([], ClientClass.Scope.refused), ([stranger], .outside)] {
            world.clients.allow = allow
            let snapshot = CompiledSnapshot(compiling: world, seed: HashSeed(value: 1))
            guard
                case .heard(let found) = snapshot.hear(
                    stranger.first,
                    listener: 0,
                    header: local
                )
            else { return #expect(Bool(false)) }
            #expect(found.scope == scope)
        }
    }

    @Test(arguments: ["vpce-2", "vpce-", "VPCE-1", "vpce-11"])
    func `refuses who comes through an endpoint that no VPC lists`(endpoint: String) throws {
        for source in ["10.0.0.9", "198.51.100.1", "127.0.0.1", "2001:db8::1"] {
            let header = ProxiedMessage.header(from: source, through: endpoint)
            #expect(try Self.heard(header)?.scope == .refused)
            let bound = ListenerScope(vpc: 0, proxies: [IPPrefix(Self.proxy, length: 128)])
            #expect(try Self.heard(header, at: bound)?.scope == .refused)
        }
        let own = ProxiedMessage.header(from: "198.51.100.1", through: "vpce-1")
        #expect(try Self.heard(own)?.scope == .vpc)
    }

    @Test func `accepts no header at a plain listener, and nothing at a closed one`()
        throws
    {
        let header = ProxiedMessage.header(from: "10.0.0.9", through: "vpce-1")
        #expect(try Self.heard(header, at: ListenerScope()) == nil)
        #expect(try Self.heard(header, at: .closed) == nil)
        let snapshot = CompiledSnapshot(compiling: Self.world(.closed), seed: HashSeed(value: 1))
        for listener in [0, 1, -1, Int.max] {
            guard case .ignored = snapshot.hear(Self.proxy, listener: listener, header: nil) else {
                return #expect(Bool(false), "\(listener)")
            }
        }
    }
}
