import DNSWire

extension Query {
    /// Returns the part of a message that is needed to answer it later: all of it unless it is
    /// long.
    ///
    /// A query over TCP may have 65,535 octets. A reply depends on at most about 350 of them.
    static func kept(of message: Span<UInt8>) -> [UInt8] {
        guard message.count > longestVerbatim, let query = try? Query(reading: message) else {
            // Sound: the octets stay alive while they are copied.
            return unsafe message.withUnsafeBufferPointer { unsafe Array($0) }
        }
        return query.essence(of: message)
    }

    /// The longest message that is kept unchanged.
    ///
    /// Queries of stub resolvers are shorter.
    static let longestVerbatim = 512

    /// The header, the question, and OPT with the options that are used; it reads as the message
    /// does.
    private func essence(of message: Span<UInt8>) -> [UInt8] {
        var essence: [UInt8] = []
        for word in [id, flags, hasQuestion ? 1 : 0, 0, 0, edns == nil ? 0 : 1] {
            essence.append(bigEndian: word)
        }
        for index in Header.size..<questionEnd { essence.append(message[index]) }
        guard let edns else { return essence }
        essence.append(0)
        essence.append(bigEndian: RecordType.opt.rawValue)
        essence.append(bigEndian: edns.payloadSize)
        essence.append(bigEndian: UInt16(edns.version))
        essence.append(bigEndian: edns.dnssecOK ? 0x8000 : 0)
        let options = edns.options.essence(of: message)
        essence.append(bigEndian: UInt16(truncatingIfNeeded: options.count))
        return essence + options
    }
}

extension EDNSOptions {
    /// The options that are used, each once.
    fileprivate func essence(of message: Span<UInt8>) -> [UInt8] {
        var essence: [UInt8] = []
        if let cookie {
            essence.append(bigEndian: Code.cookie)
            essence.append(bigEndian: UInt16(truncatingIfNeeded: cookie.length))
            for index in cookie.start..<cookie.start + cookie.length {
                essence.append(message[index])
            }
        }
        for (code, isWanted) in [
            (Code.identifier, asksForIdentifier), (Code.keepalive, asksForKeepalive),
        ] where isWanted {
            essence.append(bigEndian: code)
            essence.append(bigEndian: 0)
        }
        return essence
    }
}
