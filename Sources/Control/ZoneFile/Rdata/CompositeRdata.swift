import CLdns
import DNSWire

/// Types whose text form libldns reads as one field, or reads wrongly; this code splits them into
/// fields.
///
/// libldns still reads the single fields. Its own readers of the whole types have these bugs:
/// - IPSECKEY, AMTRELAY: take numbers modulo 256; AMTRELAY also leaks a field per record.
/// - LOC: uses the minutes of the latitude for a longitude without minutes.
/// - WKS: reads an unknown service as port 0, and uses state shared between threads.
/// - ATMA: omits the octet that distinguishes the two forms.
enum CompositeRdata {
    /// Appends the rdata of such a type; returns false and reads nothing for other types.
    static func read(
        _ cursor: inout FieldCursor,
        _ lexer: borrowing MasterFileLexer,
        to output: inout [UInt8]
    ) throws(EntryFault) -> Bool {
        switch cursor.type.rawValue {
        case 11: try readWKS(&cursor, lexer, to: &output)
        case 19: try readX25(&cursor, lexer, to: &output)
        case 29: try LocationText.read(&cursor, lexer, to: &output)
        case 34: try readATMA(&cursor, lexer, to: &output)
        case 45: try readIPSECKEY(&cursor, lexer, to: &output)
        case 55: try readHIP(&cursor, lexer, to: &output)
        case 260: try readAMTRELAY(&cursor, lexer, to: &output)
        default: return false
        }
        return true
    }

    private static func take(
        _ kind: ldns_rdf_type,
        _ what: String,
        _ cursor: inout FieldCursor,
        _ lexer: borrowing MasterFileLexer,
        to output: inout [UInt8]
    ) throws(EntryFault) {
        let token = try cursor.take(what, lexer)
        try FieldText.append(kind, token, cursor, lexer, to: &output)
    }

    private static func takeNumber(
        _ what: String,
        atMost limit: UInt32,
        _ cursor: inout FieldCursor,
        _ lexer: borrowing MasterFileLexer
    ) throws(EntryFault) -> UInt8 {
        let token = try cursor.take(what, lexer)
        guard let value = FieldText.number(lexer.octets[token.range], atMost: min(limit, 255))
        else {
            throw EntryFault(
                token.place,
                "\(lexer.quote(token.range)) does not fit as \(what); write a number from 0 to \(limit)"
            )
        }
        return UInt8(truncatingIfNeeded: value)
    }

    // MARK: Keys and relays

    /// Reads IPSECKEY (RFC 4025 §3.1): precedence, gateway type, algorithm, gateway, public key.
    private static func readIPSECKEY(
        _ cursor: inout FieldCursor,
        _ lexer: borrowing MasterFileLexer,
        to output: inout [UInt8]
    ) throws(EntryFault) {
        output.append(try takeNumber("precedence", atMost: 255, &cursor, lexer))
        let gatewayType = try takeNumber("gateway type", atMost: 3, &cursor, lexer)
        let algorithm = try takeNumber("algorithm", atMost: 255, &cursor, lexer)
        output += [gatewayType, algorithm]
        try readHost(gatewayType, "gateway", &cursor, lexer, to: &output)
        if algorithm == 0, cursor.peek == nil { return }
        guard cursor.peek != nil else {
            throw EntryFault(lexer.endOfEntry, "IPSECKEY lacks its public key; add it")
        }
        try FieldText.appendEncoded(LDNS_RDF_TYPE_B64, &cursor, lexer, to: &output)
    }

    /// Reads AMTRELAY (RFC 8777 §4.3): precedence, discovery-optional bit, relay type, relay.
    private static func readAMTRELAY(
        _ cursor: inout FieldCursor,
        _ lexer: borrowing MasterFileLexer,
        to output: inout [UInt8]
    ) throws(EntryFault) {
        output.append(try takeNumber("precedence", atMost: 255, &cursor, lexer))
        let isOptional = try takeNumber("discovery-optional bit", atMost: 1, &cursor, lexer)
        let relayType = try takeNumber("relay type", atMost: 3, &cursor, lexer)
        output.append(isOptional << 7 | relayType)
        if relayType == 0, cursor.peek == nil { return }
        try readHost(relayType, "relay", &cursor, lexer, to: &output)
    }

    /// Reads a gateway or relay of the kind that the type field states.
    private static func readHost(
        _ kind: UInt8,
        _ what: String,
        _ cursor: inout FieldCursor,
        _ lexer: borrowing MasterFileLexer,
        to output: inout [UInt8]
    ) throws(EntryFault) {
        let token = try cursor.take(what, lexer)
        switch kind {
        case 1: try FieldText.append(LDNS_RDF_TYPE_A, token, cursor, lexer, to: &output)
        case 2: try FieldText.append(LDNS_RDF_TYPE_AAAA, token, cursor, lexer, to: &output)
        case 3: try FieldText.append(LDNS_RDF_TYPE_DNAME, token, cursor, lexer, to: &output)
        default:
            guard lexer.octets[token.range].elementsEqual([.dot]) else {
                throw EntryFault(token.place, "type 0 means no \(what); write \".\"")
            }
        }
    }

    /// Reads HIP (RFC 8005 §6): algorithm, HIT, public key, rendezvous servers.
    ///
    /// On the wire, the lengths come first.
    private static func readHIP(
        _ cursor: inout FieldCursor,
        _ lexer: borrowing MasterFileLexer,
        to output: inout [UInt8]
    ) throws(EntryFault) {
        let algorithm = try takeNumber("algorithm", atMost: 255, &cursor, lexer)
        var tag: [UInt8] = []
        let tagPlace = cursor.peek?.place ?? lexer.endOfEntry
        try take(LDNS_RDF_TYPE_HEX, "HIT in hex", &cursor, lexer, to: &tag)
        var key: [UInt8] = []
        try take(LDNS_RDF_TYPE_B64, "public key", &cursor, lexer, to: &key)
        guard tag.count <= 255, key.count <= 65_535 else {
            throw EntryFault(tagPlace, "the HIT exceeds 255 octets or the key 65535; shorten it")
        }
        output += [UInt8(truncatingIfNeeded: tag.count), algorithm]
        output += [UInt8(key.count >> 8), UInt8(truncatingIfNeeded: key.count)]
        output += tag
        output += key
        while let server = cursor.peek {
            cursor.next += 1
            try FieldText.appendName(server, cursor, lexer, to: &output)
        }
    }

    // MARK: Old networks

    /// Reads X25 (RFC 1183 §3.1): an X.121 address of at least four digits.
    private static func readX25(
        _ cursor: inout FieldCursor,
        _ lexer: borrowing MasterFileLexer,
        to output: inout [UInt8]
    ) throws(EntryFault) {
        let token = try cursor.take("address", lexer)
        let text = lexer.octets[token.range]
        guard text.count >= 4, text.allSatisfy({ $0.digit != nil }) else {
            throw EntryFault(
                token.place,
                "\(lexer.quote(token.range)) is not an X.25 address; write at least four digits"
            )
        }
        try FieldText.append(LDNS_RDF_TYPE_STR, token, cursor, lexer, to: &output)
    }

    /// Reads ATMA (af-saa-0069 §5.2): octet 0 and hex, or octet 1 and the digits after a plus.
    private static func readATMA(
        _ cursor: inout FieldCursor,
        _ lexer: borrowing MasterFileLexer,
        to output: inout [UInt8]
    ) throws(EntryFault) {
        let token = try cursor.take("address", lexer)
        let text = lexer.octets[token.range].filter { $0 != .dot }
        if text.first == UInt8(ascii: "+"), text.count > 1,
            text.dropFirst().allSatisfy({ $0.digit != nil })
        {
            output.append(1)
            output += text.dropFirst()
        } else if FieldText.isHex(text) {
            output.append(0)
            try FieldText.append(LDNS_RDF_TYPE_ATMA, text, token, lexer, to: &output)
        } else {
            throw EntryFault(
                token.place,
                "\(lexer.quote(token.range)) is not an ATM address; write pairs of hex digits, or + and digits"
            )
        }
    }

    /// Reads WKS (RFC 1035 §3.4.2): address, protocol, and services as a bitmap of ports.
    private static func readWKS(
        _ cursor: inout FieldCursor,
        _ lexer: borrowing MasterFileLexer,
        to output: inout [UInt8]
    ) throws(EntryFault) {
        try take(LDNS_RDF_TYPE_A, "address", &cursor, lexer, to: &output)
        let transport = try cursor.take("protocol", lexer)
        guard let number = value(transport, of: transports, atMost: 255, lexer) else {
            throw EntryFault(
                transport.place,
                "\(lexer.quote(transport.range)) is not a protocol; write TCP, UDP or a number from 0 to 255"
            )
        }
        output.append(UInt8(truncatingIfNeeded: number))
        let bitmapStart = output.count
        while let service = cursor.peek {
            cursor.next += 1
            guard let port = value(service, of: services, atMost: 65_535, lexer) else {
                throw EntryFault(
                    service.place,
                    "\(lexer.quote(service.range)) is not a known service; write its port number"
                )
            }
            let place = bitmapStart + Int(port / 8)
            while output.count <= place { output.append(0) }
            output[place] |= 0x80 >> UInt8(port % 8)
        }
    }

    private static func value(
        _ token: MasterFileLexer.Token,
        of names: [String: UInt32],
        atMost limit: UInt32,
        _ lexer: borrowing MasterFileLexer
    ) -> UInt32? {
        guard !token.isQuoted else { return nil }
        let text = lexer.octets[token.range]
        return FieldText.number(text, atMost: limit)
            ?? names[String(decoding: text, as: UTF8.self).lowercased()]
    }

    private static let transports: [String: UInt32] = ["icmp": 1, "tcp": 6, "udp": 17]

    /// Services that were common when RFC 1035 was written; /etc/services is not used because it
    /// differs by host.
    private static let services: [String: UInt32] = [
        "echo": 7, "discard": 9, "systat": 11, "daytime": 13, "netstat": 15, "qotd": 17,
        "chargen": 19, "ftp-data": 20, "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "time": 37,
        "domain": 53, "bootps": 67, "bootpc": 68, "tftp": 69, "gopher": 70, "finger": 79,
        "http": 80, "kerberos": 88, "pop3": 110, "sunrpc": 111, "nntp": 119, "ntp": 123,
        "imap2": 143, "snmp": 161, "ldap": 389, "https": 443,
    ]
}
