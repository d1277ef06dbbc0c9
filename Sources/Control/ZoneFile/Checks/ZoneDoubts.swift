import DNSWire
import Snapshot

/// Warnings about names that are valid but probably not intended.
extension ZoneChecks {
    /// Checks each owner once, and the name in the data of each record.
    mutating func checkNames() {
        var isLooked = [Bool](repeating: false, count: nodes.count)
        for (index, record) in session.contents.records.enumerated() {
            let node = Int(recordNodes[index])
            if !isLooked[node] {
                isLooked[node] = true
                checkOwner(nodes.names[node].range, index)
            }
            if record.type == .ns || record.type == .dname { checkWildcard(record, index) }
            if record.type != .a, record.type != .aaaa { checkData(record, index) }
        }
    }

    private mutating func checkOwner(_ name: Range<Int>, _ index: Int) {
        if isDoubled(name) {
            let name = self.name(at: name)
            warn(
                index,
                "the name \(name) contains the origin twice; did you forget the final dot?"
            )
        }
    }

    /// Warns of delegations and DNAMEs at a wildcard (RFC 4592 §4.2, §4.4).
    private mutating func checkWildcard(_ record: ZoneContents.Record, _ index: Int) {
        guard session.contents.octets[record.owner].starts(with: [1, UInt8(ascii: "*")]) else {
            return
        }
        let section = record.type == .ns ? "2" : "4"
        warn(
            index,
            "\(record.type) at a wildcard has no defined meaning (RFC 4592 §4.\(section)); write one at each name instead"
        )
    }

    /// Checks the names in a record's data.
    ///
    /// Skips signatures and NSEC, which tools generate.
    private mutating func checkData(_ record: ZoneContents.Record, _ index: Int) {
        switch record.type.rawValue {
        case 16, 24, 30, 46, 47: return
        default: break
        }
        let names = DNSWire.RdataShape.names(
            in: session.contents.octets.span.extracting(record.rdata),
            of: record.type
        )
        for name in names {
            let start = record.rdata.lowerBound
            checkTarget(start + name.lowerBound..<start + name.upperBound, record, index)
        }
    }

    private mutating func checkTarget(
        _ name: Range<Int>,
        _ record: ZoneContents.Record,
        _ index: Int
    ) {
        let isStray = record.type == .ptr && isInZone(name) && isReverse
        guard isStray || isDoubled(name) else { return }
        let target = self.name(at: name)
        warn(
            index,
            "\(record.type) points to \(target), which \(isStray ? "ends in the reverse zone" : "contains the origin twice"); did you forget the final dot?"
        )
    }

    /// True for a reverse zone.
    private var isReverse: Bool {
        let apex = session.foldedApex
        return ["in-addr", "ip6"].contains { label in
            let end = [UInt8(label.utf8.count)] + label.utf8 + [4] + "arpa".utf8 + [0]
            return apex.suffix(end.count).elementsEqual(end)
        }
    }

    private func name(at range: Range<Int>) -> DomainName {
        DomainName(octets: session.contents.octets[range]) ?? .root
    }

    private func isInZone(_ name: Range<Int>) -> Bool {
        let apex = session.foldedApex
        return name.count > apex.count
            && session.contents.octets.span.extracting(name.suffix(apex.count)).equalsFolded(
                apex.span
            )
    }

    /// A cheap filter for `isDoubled`: true if the apex also occurs before the end of the name.
    private func mayBeDoubled(_ name: Range<Int>) -> Bool {
        let apex = session.foldedApex.span.extracting(droppingLast: 1)
        let octets = session.contents.octets.span
        var labels = LabelCursor(at: name.lowerBound)
        while labels.place + 2 * apex.count < name.upperBound {
            let here = octets.extracting(labels.place..<labels.place + apex.count)
            if here[0] == apex[0], here.equalsFolded(apex) { return true }
            guard labels.next(in: octets) != nil else { return false }
        }
        return false
    }

    /// Returns true if the name contains its own end twice, as `www.example.com.example.com.` does.
    ///
    /// This happens if `www.example.com` is written without a final dot below `$ORIGIN
    /// example.com`. It is true if the last labels (the apex or more) occur twice in a row, or if
    /// an apex of two or more labels occurs earlier in the name.
    private func isDoubled(_ name: Range<Int>) -> Bool {
        guard session.foldedApex.count > 1, mayBeDoubled(name), isInZone(name) else { return false }
        var places: [Int] = []
        var labels = LabelCursor(at: name.lowerBound)
        while let label = labels.next(in: session.contents.octets.span) {
            places.append(label.lowerBound - 1)
        }
        let end = labels.place
        return hasEndTwice(places, end: end) || hasApexTwice(places, end: end)
    }

    private func hasEndTwice(_ places: [Int], end: Int) -> Bool {
        for count in 1...max(places.count / 2, 1) where 2 * count <= places.count {
            let second = places[places.count - count]
            let length = end - second
            guard length >= session.foldedApex.count - 1 else { continue }
            let first = places[places.count - 2 * count]
            // A single doubled label can be intended: a host named like its domain.
            guard second - first == length, count > 1 || places.count > 2 else { continue }
            if isSame(first, second, length) { return true }
        }
        return false
    }

    /// Returns true if the apex occurs twice.
    ///
    /// Labels below an underscore label may name another domain, as in
    /// `e.example._report._dmarc.e.example`, and are skipped.
    private func hasApexTwice(_ places: [Int], end: Int) -> Bool {
        let length = session.foldedApex.count - 1
        let (second, octets) = (end - length, session.contents.octets)
        guard let apex = places.firstIndex(of: second), places.count - apex > 1 else {
            return false
        }
        for place in places[..<apex].reversed() {
            if place + length <= second, isSame(place, second, length) { return true }
            if octets[place + 1] == UInt8(ascii: "_") { return false }
        }
        return false
    }

    private func isSame(_ first: Int, _ second: Int, _ length: Int) -> Bool {
        let octets = session.contents.octets.span
        return octets.extracting(first..<first + length)
            .equalsFolded(octets.extracting(second..<second + length))
    }
}
