import DNSWire
import Snapshot

/// Names that are allowed and hardly meant.
extension ZoneChecks {
    /// Looks at every owner once, and at the name in the data of every record that has one.
    mutating func checkNames() {
        var isLooked = [Bool](repeating: false, count: nodes.count)
        for (index, record) in session.contents.records.enumerated() {
            let node = Int(recordNodes[index])
            if !isLooked[node] {
                isLooked[node] = true
                checkOwner(nodes.names[node].range, index)
            }
            if record.type == .ns || record.type == .dname { checkWildcard(record, index) }
            if let skip = Self.nameOffset(in: record.type), record.rdata.count > skip {
                checkTarget(record.rdata.dropFirst(skip), record, index)
            }
        }
    }

    private mutating func checkOwner(_ name: Range<Int>, _ index: Int) {
        if isDoubled(name) {
            let name = self.name(at: name)
            warn(
                index,
                "the name \(name) has the origin twice; did you forget the final dot?"
            )
        }
    }

    /// What stands for other names is no cut (RFC 4592 §4.2, §4.4).
    private mutating func checkWildcard(_ record: ZoneContents.Record, _ index: Int) {
        guard session.contents.octets[record.owner].starts(with: [1, UInt8(ascii: "*")]) else {
            return
        }
        let section = record.type == .ns ? "2" : "4"
        warn(
            index,
            "\(record.type) at a wildcard, which servers understand differently (RFC 4592 §4.\(section)); write it at each name that it is for"
        )
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
            "\(record.type) leads to \(target), which \(isStray ? "ends in the reverse zone" : "has the origin twice"); did you forget the final dot?"
        )
    }

    /// True of a zone of PTR records.
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

    /// False of almost every name: the apex does not stand in front of its own place.
    private func mayBeDoubled(_ name: Range<Int>) -> Bool {
        let apex = session.foldedApex.span.extracting(droppingLast: 1)
        let octets = session.contents.octets.span
        var place = name.lowerBound
        while place + 2 * apex.count < name.upperBound {
            let here = octets.extracting(place..<place + apex.count)
            if octets[place] == apex[0], here.equalsFolded(apex) { return true }
            place += 1 + Int(octets[place])
        }
        return false
    }

    /// True if the labels at the end of a name, the apex or more, stand in front of them once more.
    ///
    /// That is what becomes of `www.example.com` without a dot where `$ORIGIN` is example.com.
    private func isDoubled(_ name: Range<Int>) -> Bool {
        let apex = session.foldedApex.count - 1
        guard apex > 0, mayBeDoubled(name), isInZone(name) else { return false }
        let octets = session.contents.octets
        var places: [Int] = []
        var place = name.lowerBound
        while octets[place] != 0 {
            places.append(place)
            place += 1 + Int(octets[place])
        }
        let end = place
        for count in 1...max(places.count / 2, 1) where 2 * count <= places.count {
            let second = places[places.count - count]
            let length = end - second
            guard length >= apex else { continue }
            let first = places[places.count - 2 * count]
            // One label may well be a host's that is called as its domain.
            guard second - first == length, count > 1 || places.count > 2 else { continue }
            let isSame = (0..<length).allSatisfy {
                DomainName.fold(octets[first + $0]) == DomainName.fold(octets[second + $0])
            }
            if isSame { return true }
        }
        return false
    }
}
