import DNSWire

/// Decides for every view which zone or rule applies at which name.
struct RouteCompiler {
    let world: World
    let views: [ViewKey]
    /// Returns the compiled zone for a zone of the world and a VPC.
    let zoneNumber: (_ source: Int, _ vpc: Int) -> Int
    /// The compiled zones of `SpecialName.all`.
    let specials: Range<Int>

    private typealias LayerContents = [DomainName: Route.Kind]

    /// Layers shared by all views of a kind; the layer of special-use names and the views' own
    /// layers follow.
    private enum Shared: Int, CaseIterable { case outside, vpc, inbound }

    func compile(seed: HashSeed) -> RouteTable {
        let shared = Shared.allCases.map { self.shared(for: $0) }
        var layers = shared + [specialNames, [:]]
        let (special, empty) = (shared.count, shared.count + 1)
        let zonesOfVPC = ownZones()
        let rulesOfVPC = ownRules()
        let namesOfRules = Set(world.rules.lazy.filter { $0.vpcs == nil }.map(\.zone))
        var viewsOfVPC: [ViewKey: RouteTable.View] = [:]
        let views = self.views.map { key -> RouteTable.View in
            let kind = Self.kind(of: key).rawValue
            guard let vpc = key.vpc else {
                return RouteTable.View(own: kind, shared: kind, unspecial: empty)
            }
            let layerKey = ViewKey(vpc: vpc, isInbound: key.isInbound, account: nil)
            if let known = viewsOfVPC[layerKey] { return known }
            var own = own(of: vpc, Self.kind(of: key), zones: zonesOfVPC[vpc] ?? [])
            own = own.filter { !namesOfRules.contains($0.key) }
            for index in rulesOfVPC[vpc] ?? [] { own[world.rules[index].zone] = .rule(index) }
            let root = own[.root] ?? shared[kind][.root]
            layers += [own, ownReverseZones(of: vpc, root: root)]
            let view = RouteTable.View(
                own: layers.count - 2,
                shared: kind,
                unspecial: layers.count - 1
            )
            viewsOfVPC[layerKey] = view
            return view
        }
        return RouteTable(layers, special: special, views: views, seed: seed)
    }

    private var specialNames: LayerContents {
        var layer: LayerContents = [:]
        for (name, number) in zip(SpecialName.all, specials) { layer[name.apex] = .special(number) }
        return layer
    }

    /// Returns the reverse zones of a VPC's own ranges.
    ///
    /// They are not special-use names for its clients, since its upstream has the names of its
    /// instances.
    private func ownReverseZones(of vpc: Int, root: Route.Kind?) -> LayerContents {
        guard case .rule? = root else { return [:] }
        var layer: LayerContents = [:]
        for range in world.vpcs[vpc].ranges {
            for zone in range.reverseZones { layer[zone] = root }
        }
        return layer
    }

    private static func kind(of key: ViewKey) -> Shared {
        guard key.vpc != nil else { return .outside }
        return key.isInbound ? .inbound : .vpc
    }

    /// Returns the layer that all views of a kind share: rules for all clients, zones that all VPCs
    /// see alike, and the `outside` behaviour of the others.
    private func shared(for kind: Shared) -> LayerContents {
        var layer: LayerContents = [:]
        for (index, zone) in world.zones.enumerated() {
            switch zone.outside {
            case .forward: break
            case .refuse: layer[zone.apex] = .refuse(index)
            case .nxdomain: layer[zone.apex] = .nonexistent(zoneNumber(index, zone.vpcs.first ?? 0))
            }
        }
        for (index, zone) in world.zones.enumerated()
        where kind != .outside && isShared(zone, index) && sees(zone, kind) {
            layer[zone.apex] = .zone(zoneNumber(index, zone.vpcs[0]))
        }
        for (index, rule) in world.rules.enumerated() where rule.vpcs == nil {
            layer[rule.zone] = .rule(index)
        }
        return layer
    }

    /// Returns the additional routes of one VPC; a rule takes precedence over a zone of the same
    /// name in either layer.
    private func own(of vpc: Int, _ kind: Shared, zones: [Int]) -> LayerContents {
        var layer: LayerContents = [:]
        for index in zones where sees(world.zones[index], kind) {
            layer[world.zones[index].apex] = .zone(zoneNumber(index, vpc))
        }
        return layer
    }

    /// Returns the rules that apply to some VPCs only, by VPC.
    private func ownRules() -> [Int: [Int]] {
        var rules: [Int: [Int]] = [:]
        for (index, rule) in world.rules.enumerated() {
            for vpc in rule.vpcs ?? [] { rules[vpc, default: []].append(index) }
        }
        return rules
    }

    private func ownZones() -> [Int: [Int]] {
        var zones: [Int: [Int]] = [:]
        for (index, zone) in world.zones.enumerated() where !isShared(zone, index) {
            for vpc in zone.vpcs { zones[vpc, default: []].append(index) }
        }
        return zones
    }

    private func isShared(_ zone: Zone, _ index: Int) -> Bool {
        guard let first = zone.vpcs.first, zone.vpcs.count == world.vpcs.count else { return false }
        let number = zoneNumber(index, first)
        return zone.vpcs.allSatisfy { zoneNumber(index, $0) == number }
    }

    private func sees(_ zone: Zone, _ kind: Shared) -> Bool {
        switch (zone.audience, kind) {
        case (_, .outside): false
        case (.all, _), (.inVPC, .vpc), (.inbound, .inbound): true
        default: false
        }
    }
}
