import DNSWire

/// The routes of all views: finds the zone or rule that is the longest match of a name.
///
/// A view has two layers: its own, and one that all views of its kind share. A zone for `all` VPCs
/// is therefore one entry. A third layer below them has the special-use names, except those that
/// the view excludes. It is searched only if nothing but the root matches.
struct RouteTable: BitwiseCopyable, Sendable {
    private let octets: FrozenArray<UInt8>
    private let entries: FrozenArray<Entry>
    /// A power of two of slots: entry number + 1; 0 is free.
    private let slots: FrozenArray<UInt32>
    private let layers: FrozenArray<Layer>
    private let views: FrozenArray<View>
    /// The ancestors of the names in each layer, except the root.
    private let ancestors: HashSet
    /// The layer of special-use names, and a bit mask of the hashes of their top-level domains.
    private let special: Int
    private let specialTops: UInt64

    struct Entry: BitwiseCopyable {
        var hash: UInt64
        var layer: Int
        var name: Int
        var nameLength: Int
        var route: Route
    }

    /// The label counts of a layer's names: bit n for n labels, bit 63 for 63 or more.
    private struct Layer: BitwiseCopyable {
        var depths: UInt64 = 0

        /// Returns the bit for names with this number of labels.
        @inline(__always) static func bit(_ labels: Int) -> UInt64 { 1 << UInt64(min(labels, 63)) }
    }

    struct View: BitwiseCopyable {
        var own: Int
        var shared: Int
        /// The layer with the exceptions from special-use names.
        var unspecial: Int
    }

    init(
        _ layers: [[DomainName: Route.Kind]],
        special: Int,
        views: [View],
        seed: HashSeed
    ) {
        var specialTops: UInt64 = 0
        var octets: [UInt8] = []
        var entries: [Entry] = []
        var depths: [Layer] = []
        var ancestors: Set<UInt64> = []
        var name = FoldedName(seed: seed)
        for (number, layer) in layers.enumerated() {
            var depth = Layer()
            for (apex, kind) in layer {
                name.read(apex)
                depth.depths |= Layer.bit(name.labelCount)
                if number == special { specialTops |= Self.topBit(of: name) }
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
                for suffix in 1..<max(name.labelCount, 1) {
                    ancestors.insert(Self.key(name.hash(ofSuffix: suffix), layer: number))
                }
            }
            depths.append(depth)
        }
        self.octets = FrozenArray(octets)
        self.entries = FrozenArray(entries)
        self.layers = FrozenArray(depths)
        self.views = FrozenArray(views)
        self.special = special
        self.specialTops = specialTops
        self.ancestors = HashSet(ancestors)
        slots = FrozenArray(Self.slots(for: entries))
    }

    func deallocate() {
        octets.deallocate()
        entries.deallocate()
        slots.deallocate()
        layers.deallocate()
        views.deallocate()
        ancestors.deallocate()
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

    /// Returns the longest match with at most `labels` labels.
    func route(_ name: borrowing FoldedName, view: Int, atMost labels: Int) -> Route? {
        let view = views[view]
        let found = longestMatch(name, view.own, view.shared, atMost: labels)
        if let found, found.labelCount > 0 { return found }
        guard specialTops & Self.topBit(of: name) != 0 else { return found }
        return longestMatch(name, view.unspecial, special, atMost: labels) ?? found
    }

    /// Returns true if the view has a route for a name below this one.
    ///
    /// Special-use names count only if nothing but the root is above them.
    func hasRoute(below name: borrowing FoldedName, view: Int) -> Bool {
        let view = views[view]
        if isAncestor(name, ofAnyIn: view.own) || isAncestor(name, ofAnyIn: view.shared) {
            return true
        }
        let found = longestMatch(name, view.own, view.shared, atMost: Route.anyLength)
        guard found?.labelCount ?? 0 == 0 else { return false }
        return isAncestor(name, ofAnyIn: view.unspecial) || isAncestor(name, ofAnyIn: special)
    }

    private func isAncestor(_ name: borrowing FoldedName, ofAnyIn layer: Int) -> Bool {
        name.labelCount > 0
            && ancestors.contains(Self.key(name.hash(ofSuffix: 0), layer: layer))
    }

    /// Returns the bit of a name's top-level domain; this filter excludes most names.
    private static func topBit(of name: borrowing FoldedName) -> UInt64 {
        1 << (name.hash(ofSuffix: max(name.labelCount - 1, 0)) & 63)
    }

    private func longestMatch(
        _ name: borrowing FoldedName,
        _ first: Int,
        _ second: Int,
        atMost labels: Int
    ) -> Route? {
        let (own, shared) = (layers[first].depths, layers[second].depths)
        var depth = min(labels, name.labelCount)
        while depth >= 0 {
            let bit = Layer.bit(depth)
            let left = (own | shared) & (bit | (bit - 1))
            guard left != 0 else { return nil }
            guard left >= bit else {
                // Skip depths that no name has.
                depth = 63 - left.leadingZeroBitCount
                continue
            }
            let suffix = name.labelCount - depth
            if own & bit != 0, let match = entry(name, suffix: suffix, layer: first) {
                return match
            }
            if shared & bit != 0, let match = entry(name, suffix: suffix, layer: second) {
                return match
            }
            depth -= 1
        }
        return nil
    }

    private func entry(_ name: borrowing FoldedName, suffix: Int, layer: Int) -> Route? {
        let hash = Self.key(name.hash(ofSuffix: suffix), layer: layer)
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: hash) & mask
        // At least half of the slots are free, so the search ends.
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
