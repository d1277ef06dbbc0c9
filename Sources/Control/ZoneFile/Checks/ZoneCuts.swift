import DNSWire
import Snapshot

/// Checks of aliases and delegations, and of the records at and below them.
extension ZoneChecks {
    /// Records at a name that exclude other records.
    private struct Marks: OptionSet {
        var rawValue: UInt8

        static let cname = Marks(rawValue: 1)
        static let dname = Marks(rawValue: 2)
        static let delegation = Marks(rawValue: 4)
        /// Data that is not allowed at the same name as a CNAME.
        static let other = Marks(rawValue: 8)
        static let isReported = Marks(rawValue: 16)
    }

    /// Checks that a name has one CNAME and beside it only DNSSEC records (RFC 1034 §3.6.2, RFC
    /// 4034 §4), and one DNAME (RFC 6672 §2.4).
    mutating func checkAliases() {
        var marks = [Marks](repeating: [], count: nodes.count)
        for index in session.contents.records.indices {
            let node = Int(recordNodes[index])
            let type = session.contents.records[index].type
            switch type {
            case .cname:
                if marks[node].contains(.other) { report(index, node, &marks, Self.besideAdvice) }
                if marks[node].contains(.cname) {
                    report(
                        index,
                        node,
                        &marks,
                        "a second CNAME with another target at this name; keep one of them"
                    )
                }
                marks[node].insert(.cname)
            case .rrsig, .nsec, .sig, RecordType(rawValue: 25), RecordType(rawValue: 30):
                break
            default:
                if marks[node].contains(.cname) { report(index, node, &marks, Self.besideAdvice) }
                if type == .dname, marks[node].contains(.dname) {
                    report(
                        index,
                        node,
                        &marks,
                        "a second DNAME at this name; keep one of them (RFC 6672 §2.4)"
                    )
                }
                if type == .dname { marks[node].insert(.dname) }
                marks[node].insert(.other)
            }
        }
    }

    private static let besideAdvice =
        "a CNAME and other data at the same name; remove one of them (RFC 1034 §3.6.2)"

    private mutating func report(
        _ record: Int,
        _ node: Int,
        _ marks: inout [Marks],
        _ message: @autoclosure () -> String
    ) {
        guard !marks[node].contains(.isReported) else { return }
        marks[node].insert(.isReported)
        fail(record, message())
    }

    /// Reports records below a DNAME, and records at or below a delegation that are never answered.
    ///
    /// RFC 6672 §2.4 allows rejecting data below a DNAME. Below a delegation, only the addresses of
    /// its name servers are used.
    mutating func checkCuts() {
        var marks = [Marks](repeating: [], count: nodes.count)
        var hasCut = false
        for (index, record) in session.contents.records.enumerated() {
            let node = Int(recordNodes[index])
            if record.type == .dname {
                marks[node].insert(.dname)
                hasCut = true
            } else if record.type == .ns, Int(nodes.names[node].length) > session.foldedApex.count {
                marks[node].insert(.delegation)
                hasCut = true
            }
        }
        guard hasCut else { return }
        var above = [Marks?](repeating: nil, count: nodes.count)
        // Cache the parent: consecutive names often share one, which can have over a hundred
        // ancestors.
        var last: (parent: Range<Int>, marks: Marks)?
        for (index, record) in session.contents.records.enumerated() {
            let node = Int(recordNodes[index])
            let over = above[node] ?? marksAbove(node, marks, &last)
            above[node] = over
            check(record, index, node, over, &marks)
        }
    }

    private mutating func check(
        _ record: ZoneContents.Record,
        _ index: Int,
        _ node: Int,
        _ above: Marks,
        _ marks: inout [Marks]
    ) {
        if above.contains(.dname) {
            report(
                index,
                node,
                &marks,
                "data below a DNAME is never answered; remove the record or the DNAME (RFC 6672 §2.4)"
            )
            return
        }
        guard !record.type.isAddress, !marks[node].contains(.isReported) else { return }
        let isBelow = above.contains(.delegation)
        let isBeside = marks[node].contains(.delegation) && !Self.mayStandAtDelegation(record.type)
        guard isBelow || isBeside else { return }
        marks[node].insert(.isReported)
        warn(
            index,
            "\(record.type) \(isBelow ? "below" : "at") a delegation is never answered; move it to the delegated zone (only addresses of its name servers belong here)"
        )
    }

    private static func mayStandAtDelegation(_ type: RecordType) -> Bool {
        type == .ns || type == .ds || type == .nsec || type == .rrsig
    }

    /// Returns the marks of the names between this one and the apex.
    private func marksAbove(
        _ node: Int,
        _ marks: [Marks],
        _ last: inout (parent: Range<Int>, marks: Marks)?
    ) -> Marks {
        let octets = session.contents.octets.span
        let name = nodes.names[node].range
        var labels = LabelCursor(at: name.lowerBound)
        guard name.count > session.foldedApex.count, labels.next(in: octets) != nil else {
            return []
        }
        let parent = labels.place..<name.upperBound
        if let last, octets.extracting(last.parent).equalsFolded(octets.extracting(parent)) {
            return last.marks
        }
        var found: Marks = []
        repeat {
            let above = octets.extracting(labels.place..<name.upperBound)
            if let node = nodes.find(above, in: octets) { found.formUnion(marks[node]) }
            guard above.count > session.foldedApex.count else { break }
        } while labels.next(in: octets) != nil
        last = (parent, found)
        return found
    }

    /// Checks that MX, NS and SRV targets are not aliases (RFC 2181 §10.3, RFC 2782).
    mutating func checkTargets() {
        var isAlias = [Bool](repeating: false, count: nodes.count)
        for (index, record) in session.contents.records.enumerated() where record.type == .cname {
            isAlias[Int(recordNodes[index])] = true
        }
        guard isAlias.contains(true) else { return }
        let octets = session.contents.octets
        for (index, record) in session.contents.records.enumerated() {
            guard record.type == .mx || record.type == .ns || record.type == .srv,
                let skip = Self.nameOffset(in: record.type)
            else { continue }
            let target = record.rdata.dropFirst(skip)
            if let node = nodes.find(octets.span.extracting(target), in: octets.span),
                isAlias[node]
            {
                let name = DomainName(octets: octets[target]) ?? .root
                warn(
                    index,
                    "\(record.type) points to \(name), which is a CNAME; use the target of the CNAME (RFC 2181 §10.3)"
                )
            }
        }
    }
}
