import DNSWire

/// Selects the addresses of a name for a client by affinity and health.
extension CompiledSnapshot {
    /// Selects the records of an RRset for a client in the AZ `client`.
    public func select(
        from rrset: RRset,
        affinity: Zone.Affinity,
        client: AZIndex
    ) -> Selection {
        let near = nearest(of: rrset, affinity: affinity, client: client)
        guard rrset.isChecked else { return near }
        var (choice, all) = (near, Selection.all(of: rrset))
        (choice.health, all.health) = (.respected, .respected)
        if upCount(of: rrset, among: near.first) > 0 { return choice }
        if upCount(of: rrset, among: all.first) > 0 { return all }
        if !choice.includesOthers { choice = all }
        choice.health = .failedOpen
        return choice
    }

    /// Selects among addresses that are all up.
    private func nearest(
        of rrset: RRset,
        affinity: Zone.Affinity,
        client: AZIndex
    ) -> Selection {
        guard affinity != .none, client != .unknown,
            let group = store.group(of: rrset, az: client)
        else { return .all(of: rrset) }
        return Selection(first: group, includesOthers: affinity == .zonalFirst)
    }

    /// Calls `body` with the length field and rdata of each selected record, with addresses in the
    /// order of `rotation`; stops when `body` returns false.
    public func forEachRecord(
        of rrset: RRset,
        _ selection: Selection,
        rotation: Rotation,
        _ body: (_ lengthAndRdata: Span<UInt8>) -> Bool
    ) {
        forEachRun(of: rrset, selection, rotation: rotation) { records, count, first in
            let stride = records.count / count
            for number in first..<first + count {
                let start = (number < count ? number : number - count) * stride
                guard body(records.extracting(start..<start + stride)) else { return false }
            }
            return true
        }
    }

    /// Calls `body` with runs of adjacent records of equal size: their octets, their number, and
    /// the index of the first; the records before the first follow the last.
    public func forEachRun(
        of rrset: RRset,
        _ selection: Selection,
        rotation: Rotation,
        _ body: (_ lengthsAndRdata: Span<UInt8>, _ count: Int, _ first: Int) -> Bool
    ) {
        guard rrset.type.isAddress else { return forEachRecord(of: rrset) { body($0, 1, 0) } }
        let first = selection.first
        if selection.health == .respected,
            forEachUp(of: rrset, selection, rotation: rotation, body)
        {
            return
        }
        let turn = rotation.first < first.count ? rotation.first : 0
        guard run(first, of: rrset, from: turn, body), selection.includesOthers else { return }
        forEachRunOfOthers(than: first, of: rrset, from: rotation.others, body)
    }

    /// Passes on the addresses that are not in `first`, starting with index `turn`.
    private func forEachRunOfOthers(
        than first: Range<Int>,
        of rrset: RRset,
        from turn: Int,
        _ body: (Span<UInt8>, Int, Int) -> Bool
    ) {
        let (before, behind) = (0..<first.lowerBound, first.upperBound..<rrset.recordCount)
        let runs: (Range<Int>, Range<Int>, Range<Int>)
        if turn < before.count {
            runs = (turn..<before.count, behind, 0..<turn)
        } else {
            let start = min(turn - before.count, behind.count) + behind.lowerBound
            runs = (start..<behind.upperBound, before, behind.lowerBound..<start)
        }
        guard run(runs.0, of: rrset, body), run(runs.1, of: rrset, body) else { return }
        _ = run(runs.2, of: rrset, body)
    }

    /// Passes address records to `body` if `range` is not empty; returns false to stop.
    @inline(__always) private func run(
        _ range: Range<Int>,
        of rrset: RRset,
        from first: Int = 0,
        _ body: (Span<UInt8>, Int, Int) -> Bool
    ) -> Bool {
        range.isEmpty
            || store.withAddresses(range, of: rrset) { body($0, range.count, first) }
    }

    /// Passes on records except those that are down; returns false if none was up.
    ///
    /// An address may have gone down since the selection was made.
    private func forEachUp(
        of rrset: RRset,
        _ selection: Selection,
        rotation: Rotation,
        _ body: (Span<UInt8>, Int, Int) -> Bool
    ) -> Bool {
        let first = selection.first
        let start = firstUp(of: rrset, rotation: rotation.first, in: first)
        var isFound = false
        for index in 0..<first.count {
            let turned = index + start
            let number = first.lowerBound + (turned < first.count ? turned : turned - first.count)
            guard isUp(rrset, record: number) else { continue }
            isFound = true
            guard run(number..<number + 1, of: rrset, body) else { return true }
        }
        guard selection.includesOthers else { return isFound }
        let others = rrset.recordCount - first.count
        var skipped = rotation.others
        for index in 0..<2 * others {
            let place = index < others ? index : index - others
            let number = place < first.lowerBound ? place : place + first.count
            guard isUp(rrset, record: number) else { continue }
            // The addresses before the first one come in the second round.
            if index < others, skipped > 0 {
                skipped -= 1
                continue
            }
            if index >= others {
                guard skipped < rotation.others else { break }
                skipped += 1
            }
            isFound = true
            guard run(number..<number + 1, of: rrset, body) else { return true }
        }
        return isFound
    }

    /// Returns the index in `range` where a rotation starts, counting only addresses that are up.
    ///
    /// Starting at one that is down would give the next address a second turn.
    private func firstUp(of rrset: RRset, rotation: Int, in range: Range<Int>) -> Int {
        let count = upCount(of: rrset, among: range)
        guard count > 1 else { return 0 }
        var left = rotation < count ? rotation : 0
        for number in range where isUp(rrset, record: number) {
            if left == 0 { return number - range.lowerBound }
            left -= 1
        }
        return 0
    }

    // MARK: Health

    /// Sets the health of a target; it applies to all later queries.
    public func setHealth(ofTarget number: Int, isUp: Bool) { states.set(number, isDown: !isUp) }

    /// Returns the health of each record of an RRset, in order; nil if they are not checked.
    public func health(of rrset: RRset) -> [Bool]? {
        guard rrset.isChecked else { return nil }
        return (0..<rrset.recordCount).map { isUp(rrset, record: $0) }
    }

    @inline(__always) private func isUp(_ rrset: RRset, record number: Int) -> Bool {
        !states.isDown(store.target(of: rrset, record: number))
    }

    /// Returns the number of records outside `selection.first` that may be returned.
    public func otherCount(of rrset: RRset, _ selection: Selection) -> Int {
        guard selection.includesOthers else { return 0 }
        guard selection.health == .respected else {
            return rrset.recordCount - selection.first.count
        }
        return upCount(of: rrset, among: 0..<selection.first.lowerBound)
            + upCount(of: rrset, among: selection.first.upperBound..<rrset.recordCount)
    }

    /// Returns the number of an RRset's records in `range` that are up.
    public func upCount(of rrset: RRset, among range: Range<Int>) -> Int {
        var count = 0
        for number in range where isUp(rrset, record: number) { count += 1 }
        return count
    }
}
