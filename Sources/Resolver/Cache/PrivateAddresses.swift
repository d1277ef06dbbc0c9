import DNSWire

/// Finds private addresses in the answers of public name servers.
///
/// With such an answer, a page on the Internet can make a browser connect to hosts in its own
/// network (DNS rebinding).
extension MessageReader.Record {
    /// Returns true for an address record with a private address, and for an SVCB or HTTPS record
    /// that hints at one, leads to `localhost` or cannot be read.
    func holdsPrivateAddress(in message: Span<UInt8>) -> Bool {
        message.holdsPrivateAddress(rdata..<rdataEnd, of: type)
    }
}

extension RecordType {
    /// True for types whose rdata has addresses.
    var hasAddresses: Bool { isAddress || self == .svcb || self == .https }
}

extension Span where Element == UInt8 {
    /// Returns true if the rdata has a private address or leads to `localhost`.
    func holdsPrivateAddress(_ rdata: Range<Int>, of type: RecordType) -> Bool {
        if type == .svcb || type == .https, leadsToLocalhost(rdata) { return true }
        return holdsAddress(rdata, of: type) { $0.isPrivate }
    }

    /// Returns true if `isMeant` is true for an address in the rdata, or if the rdata cannot be
    /// read.
    ///
    /// Hints of SVCB and HTTPS records count as addresses.
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

    /// Checks the last label of TargetName, which is never compressed (RFC 9460 §2.2).
    ///
    /// Returns true for a name that cannot be read, too.
    private func leadsToLocalhost(_ rdata: Range<Int>) -> Bool {
        let rdata = extracting(rdata)
        var labels = LabelCursor(at: 2)
        var last = 0..<0
        while let label = labels.next(in: rdata) { last = label }
        guard labels.place < rdata.count, rdata[labels.place] == 0 else { return true }
        return last.map { DomainName.fold(rdata[$0]) } == Array("localhost".utf8)
    }

    /// Searches SvcParams (RFC 9460 §2.2) for `ipv4hint` and `ipv6hint`.
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
