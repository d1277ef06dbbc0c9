import DNSWire
import TestSupport

@testable import Snapshot

/// Small random networks, whose ranges, listeners and endpoints overlap in all combinations.
enum RandomNetwork {
    private static let endpoints = ["vpce-0", "vpce-1", "vpce-2", "vpce-3"]

    static func make(using random: inout SeededGenerator) -> World {
        var world = World()
        world.accounts = [Account(id: "111122223333")]
        world.vpcs = (0..<3).shuffled(using: &random).map { number in
            VPC(
                id: "vpc-\(number)",
                account: 0,
                ranges: prefixes(0...2, using: &random),
                inbound: prefixes(0...1, using: &random),
                endpoints: number < 2 && Bool.random(using: &random) ? [endpoints[number]] : []
            )
        }
        world.clients.allow = prefixes(0...2, using: &random)
        world.listeners = (0..<3).map { _ in
            Int.random(in: 0..<6, using: &random) == 0 ? .closed : listener(using: &random)
        }
        return world
    }

    private static func listener(using random: inout SeededGenerator) -> ListenerScope {
        let isBound = Bool.random(using: &random)
        return ListenerScope(
            vpc: isBound ? Int.random(in: 0..<3, using: &random) : nil,
            from: isBound ? prefixes(0...1, using: &random) : [],
            proxies: Int.random(in: 0..<3, using: &random) == 0
                ? prefixes(1...2, using: &random) : nil
        )
    }

    private static func prefixes(
        _ count: ClosedRange<Int>,
        using random: inout SeededGenerator
    ) -> [IPPrefix] {
        (0..<Int.random(in: count, using: &random)).map { _ in
            let address = address(using: &random)
            let shortest = address.isV4 ? 96 : 0
            let length = [shortest, 112, 120, 124, 126, 128].randomElement(using: &random) ?? 128
            return IPPrefix(address, length: length)
        }
    }

    /// Returns one of 16 prefixes per family, so that ranges overlap.
    private static func address(using random: inout SeededGenerator) -> IPAddress {
        let low = UInt32.random(in: 0..<16, using: &random)
        return Bool.random(using: &random)
            ? IPAddress(v4: 0x0A00_0000 | low)
            : IPAddress(bits: 0x2001_0DB8 << 96 | UInt128(low))
    }

    static func sender(using random: inout SeededGenerator) -> Sender {
        let source = address(using: &random)
        let kind = Int.random(in: 0..<4, using: &random)
        let endpoint = kind == 2 ? endpoints.randomElement(using: &random) : nil
        let header: [UInt8]? =
            switch kind {
            case 0: ProxiedMessage.local
            case 1, 2: ProxiedMessage.header(from: "\(source)", through: endpoint)
            default: nil
            }
        return Sender(
            peer: address(using: &random),
            listener: Int.random(in: -1...3, using: &random),
            header: header.flatMap { try? ProxyHeader.read($0.span) },
            endpoint: endpoint
        )
    }

    /// The decision about a sender.
    enum Heard: Equatable {
        case nobody
        /// The sender must send a PROXY header first.
        case proxy
        case client(ClientClass.Scope, vpc: String?)
    }

    struct Sender {
        var peer: IPAddress
        var listener: Int
        var header: ProxyHeader?
        /// The endpoint ID in the header, as text.
        var endpoint: String?

        func heard(in snapshot: CompiledSnapshot, of world: World) -> Heard {
            switch snapshot.hear(peer, listener: listener, header: header) {
            case .ignored: .nobody
            case .awaitsHeader: .proxy
            case .heard(let found): .client(found.scope, vpc: found.vpc.map { world.vpcs[$0].id })
            }
        }

        func standing(in snapshot: CompiledSnapshot) -> Standing {
            snapshot.standing(of: peer, listener: listener, header: header)
        }
    }
}

// MARK: The expectation

extension RandomNetwork.Sender {
    typealias Heard = RandomNetwork.Heard

    /// The expected decision, found by a search of all ranges.
    func expected(in world: World) -> Heard {
        guard world.listeners.indices.contains(listener), !world.listeners[listener].isClosed else {
            return .nobody
        }
        let scope = world.listeners[listener]
        guard let proxies = scope.proxies else {
            return header == nil ? client(peer, at: scope, in: world) : .nobody
        }
        guard proxies.contains(where: { holds($0, peer) }) else { return .nobody }
        guard let header else { return .proxy }
        guard let source = header.source else {
            let own = client(peer, at: scope, in: world)
            return own == .client(.refused, vpc: nil) ? own : .client(.outside, vpc: nil)
        }
        guard let endpoint else { return client(source, at: scope, in: world) }
        guard let vpc = world.vpcs.firstIndex(where: { $0.endpoints.contains(endpoint) }) else {
            return .client(.refused, vpc: nil)
        }
        return member(vpc, source, besides: [], in: world) ?? .client(.vpc, vpc: world.vpcs[vpc].id)
    }

    private func client(_ address: IPAddress, at scope: ListenerScope, in world: World) -> Heard {
        if let vpc = scope.vpc, let found = member(vpc, address, besides: scope.from, in: world) {
            return found
        }
        return byAddress(address, in: world)
    }

    private func member(
        _ vpc: Int,
        _ address: IPAddress,
        besides from: [IPPrefix],
        in world: World
    ) -> Heard? {
        let own = longest(world.vpcs[vpc].ranges + from, address)
        let inbound = longest(world.vpcs[vpc].inbound, address)
        guard own >= 0 || inbound >= 0 else { return nil }
        return .client(own >= inbound ? .vpc : .inbound, vpc: world.vpcs[vpc].id)
    }

    private func byAddress(_ address: IPAddress, in world: World) -> Heard {
        let ranges = world.vpcs.map { longest($0.ranges, address) }
        let inbound = world.vpcs.map { longest($0.inbound, address) }
        let (range, arrival) = (ranges.max() ?? -1, inbound.max() ?? -1)
        guard range >= 0 || arrival >= 0 else {
            let isAllowed = world.clients.allow.contains { holds($0, address) }
            return .client(isAllowed ? .outside : .refused, vpc: nil)
        }
        var claimants = Set<Int>()
        if range >= arrival { claimants.formUnion(ranges.indices.filter { ranges[$0] >= 0 }) }
        if arrival >= range {
            claimants.formUnion(inbound.indices.filter { inbound[$0] == arrival })
        }
        let toldApart = world.toldApart()
        let untold = claimants.filter { !toldApart[$0] }
        let candidates = untold.isEmpty ? claimants : untold
        guard candidates.count == 1, let vpc = candidates.first else {
            return .client(.refused, vpc: nil)
        }
        let isInRange = range >= arrival && ranges[vpc] >= 0
        return .client(isInRange ? .vpc : .inbound, vpc: world.vpcs[vpc].id)
    }

    /// Returns the length of the longest range that contains the address; -1 if there is none.
    private func longest(_ ranges: [IPPrefix], _ address: IPAddress) -> Int {
        ranges.filter { holds($0, address) }.map(\.length).max() ?? -1
    }

    private func holds(_ range: IPPrefix, _ address: IPAddress) -> Bool {
        let isV4 = range.length >= 96 && range.first.isV4
        guard isV4 == address.isV4 else { return false }
        return range.length == 0
            || (range.first.bits ^ address.bits) >> UInt128(128 - range.length) == 0
    }
}
