import DNSWire

/// Private addresses in what a public name server says: with them a page on the Internet would have a
/// browser in our network talk to its neighbours (DNS rebinding).
extension MessageReader.Record {
    /// True of an address record with such an address, and of SVCB and HTTPS records that hint at one, lead
    /// to `localhost` or can't be read.
    func holdsPrivateAddress(in message: Span<UInt8>) -> Bool {
        message.holdsPrivateAddress(rdata..<rdataEnd, of: type)
    }
}

extension RecordType {
    /// True of types whose rdata has addresses.
    var hasAddresses: Bool { isAddress || self == .svcb || self == .https }
}

extension Span where Element == UInt8 {
    /// True of rdata with a private address, or that leads to `localhost`.
    func holdsPrivateAddress(_ rdata: Range<Int>, of type: RecordType) -> Bool {
        if type == .svcb || type == .https, leadsToLocalhost(rdata) { return true }
        return holdsAddress(rdata, of: type) { $0.isPrivate }
    }

    /// True of rdata with an address that `isMeant` is true of, in hints, too, and of rdata that can't be read.
    @inline(__always)
    func holdsAddress(
        _ rdata: Range<Int>,
        of type: RecordType,
        where isMeant: (IPAddress) -> Bool
    ) -> Bool {
        switch type {
        case .a where rdata.count == 4:
            bigEndian32(at: rdata.lowerBound).map { isMeant(IPAddress(v4: $0)) } ?? true
        case .a, .aaaa: IPAddress(extracting(rdata)).map(isMeant) ?? true
        case .svcb, .https: hasHint(rdata, where: isMeant)
        default: false
        }
    }

    /// Looks at the last label of TargetName, which is never compressed (RFC 9460 §2.2).
    private func leadsToLocalhost(_ rdata: Range<Int>) -> Bool {
        let rdata = extracting(rdata)
        var labels = LabelCursor(at: 2)
        var last = 0..<0
        while let label = labels.next(in: rdata) { last = label }
        guard labels.place < rdata.count, rdata[labels.place] == 0 else { return true }
        return last.map { DomainName.fold(rdata[$0]) } == Array("localhost".utf8)
    }

    /// Looks through SvcParams (RFC 9460 §2.2) for `ipv4hint` and `ipv6hint`.
    private func hasHint(_ rdata: Range<Int>, where isMeant: (IPAddress) -> Bool) -> Bool {
        guard var place = try? nameEnd(at: rdata.lowerBound + 2), place <= rdata.upperBound else {
            return true
        }
        while place < rdata.upperBound {
            guard let key = bigEndian16(at: place), let length = bigEndian16(at: place + 2),
                place + 4 + Int(length) <= rdata.upperBound
            else { return true }
            place += 4
            let end = place + Int(length)
            if let size = key == 4 ? 4 : key == 6 ? 16 : nil {
                for start in stride(from: place, to: end, by: size) {
                    let hint = IPAddress(extracting(start..<Swift.min(start + size, end)))
                    if hint.map(isMeant) ?? true { return true }
                }
            }
            place = end
        }
        return false
    }
}
