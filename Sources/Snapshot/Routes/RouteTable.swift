import DNSWire

/// The routes of all views: finds the zone or rule that is the longest match of a name.
///
/// A view looks in two layers, its own and the one that it shares with all views of its kind; so a
/// zone for `all` VPCs is one entry, however many VPCs there are.
struct RouteTable: BitwiseCopyable, Sendable {
    private let octets: FrozenArray<UInt8>
    private let entries: FrozenArray<Entry>
    /// A power of two of slots: entry number + 1, 0 is free.
    private let slots: FrozenArray<UInt32>
    private let layers: FrozenArray<Layer>
    private let views: FrozenArray<View>

    struct Entry: BitwiseCopyable {
        var hash: UInt64
        var layer: Int
        var name: Int
        var nameLength: Int
        var route: Route
    }

    /// Which numbers of labels a layer's names have: bit n of the pair for n labels.
    private struct Layer: BitwiseCopyable {
        var depths: UInt128 = 0
    }

    struct View: BitwiseCopyable {
        var own: Int
        var shared: Int
    }

    init(_ layers: [[DomainName: Route.Kind]], views: [View], seed: HashSeed) {
        var octets: [UInt8] = []
        var entries: [Entry] = []
        var depths: [Layer] = []
        var name = FoldedName(seed: seed)
        for (number, layer) in layers.enumerated() {
            var depth = Layer()
            for (apex, kind) in layer {
                name.read(apex)
                depth.depths |= 1 << UInt128(name.labelCount)
                entries.append(
                    Entry(
                        hash: Self.key(name.hash(ofSuffix: 0), layer: number),
                        layer: number,
                        name: octets.count,
                        nameLength: name.count,
                        route: Route(kind: kind, labelCount: name.labelCount)
                    )
                )
                octets += apex.folded.octets
            }
            depths.append(depth)
        }
        self.octets = FrozenArray(octets)
        self.entries = FrozenArray(entries)
        self.layers = FrozenArray(depths)
        self.views = FrozenArray(views)
        slots = FrozenArray(Self.slots(for: entries))
    }

    func deallocate() {
        octets.deallocate()
        entries.deallocate()
        slots.deallocate()
        layers.deallocate()
        views.deallocate()
    }

    private static func slots(for entries: [Entry]) -> [UInt32] {
        var capacity = 16
        while capacity < entries.count * 2 { capacity *= 2 }
        var slots = [UInt32](repeating: 0, count: capacity)
        for (number, entry) in entries.enumerated() {
            var index = Int(truncatingIfNeeded: entry.hash) & (capacity - 1)
            while slots[index] != 0 { index = (index + 1) & (capacity - 1) }
            slots[index] = UInt32(truncatingIfNeeded: number + 1)
        }
        return slots
    }

    private static func key(_ hash: UInt64, layer: Int) -> UInt64 {
        let mixed = (hash ^ UInt64(truncatingIfNeeded: layer)) &* 0x9E37_79B9_7F4A_7C15
        return mixed ^ mixed >> 29
    }

    /// The longest match with at most `labels` labels.
    func route(_ name: borrowing FoldedName, view: Int, atMost labels: Int) -> Route? {
        let view = views[view]
        let used = layers[view.own].depths | layers[view.shared].depths
        let ceiling = min(labels, name.labelCount)
        guard ceiling >= 0 else { return nil }
        var candidates = used & (UInt128.max >> UInt128(127 - min(ceiling, 127)))
        while candidates != 0 {
            let depth = 127 - candidates.leadingZeroBitCount
            candidates &= ~(1 << UInt128(depth))
            let suffix = name.labelCount - depth
            if let own = entry(name, suffix: suffix, layer: view.own) { return own }
            if let shared = entry(name, suffix: suffix, layer: view.shared) { return shared }
        }
        return nil
    }

    private func entry(_ name: borrowing FoldedName, suffix: Int, layer: Int) -> Route? {
        let hash = Self.key(name.hash(ofSuffix: suffix), layer: layer)
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: hash) & mask
        // At most half of the slots are taken, so the search ends.
        while slots[index] != 0 {
            let entry = entries[Int(slots[index]) - 1]
            if entry.hash == hash, entry.layer == layer, holds(entry, name, suffix) {
                return entry.route
            }
            index = (index + 1) & mask
        }
        return nil
    }

    private func holds(_ entry: Entry, _ name: borrowing FoldedName, _ suffix: Int) -> Bool {
        octets.withSpan(entry.name, count: entry.nameLength) {
            name.equals($0, fromSuffix: suffix)
        }
    }
}
