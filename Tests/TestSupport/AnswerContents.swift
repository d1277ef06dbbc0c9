package import DNSWire

/// The contents of a response, independent of order, compression and letter case.
package struct AnswerContents {
    package private(set) var rcode: ResponseCode
    /// The question section as received.
    package let question: [UInt8]
    /// The TTL of each record of the answer, and of the proofs in the authority section.
    package private(set) var ttls: [RecordContents: UInt32] = [:]
    /// Records that occur more than once.
    package private(set) var repeated: [RecordContents] = []

    /// Reads a whole response with one question.
    ///
    /// Omits what a forwarder need not pass on: the additional section, and all of the authority
    /// section except SOA, NSEC, NSEC3 and their signatures.
    package init(_ message: [UInt8]) throws(WireError) {
        let span = message.span
        var reader = try MessageReader(span)
        rcode = reader.rcode
        try reader.skipQuestion(of: span)
        question = Array(message[Header.size..<reader.offset])
        while let record = try reader.next(in: span) {
            let contents = try RecordContents(record, in: span)
            guard contents.isPassedOn else { continue }
            if ttls.updateValue(record.ttl, forKey: contents) != nil { repeated.append(contents) }
        }
    }

    package var records: Set<RecordContents> { Set(ttls.keys) }

    /// The end of the alias chain of `name`, if the answer has no records for it.
    ///
    /// An upstream of a forwarder may stop there; the client has to query the rest.
    package func openEnd(of name: DomainName, type: RecordType) -> DomainName? {
        var current = name
        for _ in ttls {
            let here = ttls.keys.filter { $0.section == .answer && $0.owner == current }
            guard !here.contains(where: { $0.type == type }) else { return nil }
            guard let alias = here.first(where: { $0.type == .cname }),
                let target = DomainName(octets: alias.rdata)
            else { break }
            current = target
        }
        let isEnded = rcode != .noError || ttls.keys.contains { $0.section == .authority }
        return isEnded || current == name ? nil : current
    }

    /// Adds the answer for the end of the chain.
    package mutating func append(_ rest: AnswerContents) {
        rcode = rest.rcode
        ttls.merge(rest.ttls) { max($0, $1) }
    }
}

/// A record without its TTL, its names uncompressed and in lower case.
package struct RecordContents: Hashable, Sendable {
    package let section: MessageReader.Section
    package let owner: DomainName
    package let type: RecordType
    package let rdata: [UInt8]

    fileprivate init(_ record: MessageReader.Record, in message: Span<UInt8>) throws(WireError) {
        section = record.section
        type = record.type
        owner = try message.name(at: record.owner).folded
        var rdata: [UInt8] = []
        if record.section != .additional {
            try RdataShape.walk(record, in: message) { range in
                for index in range { rdata.append(message[index]) }
            } name: { place throws(WireError) in
                rdata += try message.name(at: place).folded.octets
            }
        }
        self.rdata = rdata
    }

    /// The type that a signature covers; the record's own type otherwise.
    private var covered: RecordType {
        guard type == .rrsig, rdata.count >= 2 else { return type }
        return RecordType(rawValue: UInt16(rdata[0]) << 8 | UInt16(rdata[1]))
    }

    /// True of records that prove absence.
    package var isProof: Bool { section == .authority && [.nsec, .nsec3].contains(covered) }

    fileprivate var isPassedOn: Bool {
        switch section {
        case .answer: true
        case .authority: [.soa, .nsec, .nsec3].contains(covered)
        case .additional: false
        }
    }
}

extension RecordContents: CustomStringConvertible {
    package var description: String {
        let octets = rdata.prefix(24).map { String($0, radix: 16) }.joined(separator: " ")
        let signed = covered == type ? "" : " of \(covered)"
        return "\(section): \(owner) \(type)\(signed) (\(rdata.count)) \(octets)"
    }
}
