import DNSWire

/// Private addresses in what a public name server says: with them a page on the Internet would have a
/// browser in our network talk to its neighbours (DNS rebinding).
extension MessageReader.Record {
    /// True of an address record with such an address, and of SVCB and HTTPS records that hint at one, lead
    /// to `localhost` or can't be read.
    func holdsPrivateAddress(in message: Span<UInt8>) -> Bool {
        switch type {
        case .a, .aaaa: isPrivate(rdata..<rdataEnd, of: message)
        case .svcb, .https: leadsToLocalhost(in: message) || hintsAtPrivateAddress(in: message)
        default: false
        }
    }

    private func isPrivate(_ address: Range<Int>, of message: Span<UInt8>) -> Bool {
        IPAddress(octets: address.map { message[$0] })?.isPrivate ?? true
    }

    /// Looks at the last label of TargetName, which is never compressed (RFC 9460 §2.2).
    private func leadsToLocalhost(in message: Span<UInt8>) -> Bool {
        var place = rdata + 2
        var last = place..<place
        while place < rdataEnd, message[place] != 0 {
            last = place + 1..<place + 1 + Int(message[place])
            guard last.endIndex < rdataEnd else { return true }
            place = last.endIndex
        }
        return last.map { DomainName.fold(message[$0]) } == Array("localhost".utf8)
    }

    /// Looks through SvcParams (RFC 9460 §2.2) for `ipv4hint` and `ipv6hint`.
    private func hintsAtPrivateAddress(in message: Span<UInt8>) -> Bool {
        guard var place = try? message.nameEnd(at: rdata + 2), place <= rdataEnd else {
            return true
        }
        while place < rdataEnd {
            guard let key = message.bigEndian16(at: place),
                let length = message.bigEndian16(at: place + 2),
                place + 4 + Int(length) <= rdataEnd
            else { return true }
            place += 4
            let end = place + Int(length)
            let addressSize = key == 4 ? 4 : key == 6 ? 16 : nil
            if let addressSize {
                for start in stride(from: place, to: end, by: addressSize) {
                    if isPrivate(start..<min(start + addressSize, end), of: message) { return true }
                }
            }
            place = end
        }
        return false
    }
}
