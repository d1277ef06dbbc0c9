import CLdns
import DNSWire

/// Last fields that consume all remaining tokens: hex and base64 in pieces, type bitmaps,
/// parameters.
extension FieldText {
    static func mayTakeTheRest(_ kind: ldns_rdf_type) -> Bool {
        switch kind {
        case LDNS_RDF_TYPE_HEX, LDNS_RDF_TYPE_B64, LDNS_RDF_TYPE_NSEC, LDNS_RDF_TYPE_SVCPARAMS:
            true
        default: false
        }
    }

    /// Appends the field formed by all tokens from the cursor on, of which there is at least one.
    static func appendRest(
        _ kind: ldns_rdf_type,
        _ cursor: inout FieldCursor,
        _ lexer: borrowing MasterFileLexer,
        to output: inout [UInt8]
    ) throws(EntryFault) {
        guard let first = cursor.peek else { return }
        switch kind {
        case LDNS_RDF_TYPE_NSEC:
            try appendBitmap(&cursor, lexer, to: &output)
        case LDNS_RDF_TYPE_SVCPARAMS:
            let text = try ServiceParameters.normalised(&cursor, lexer)
            try append(kind, text, first, lexer, to: &output)
        default:
            try appendEncoded(kind, &cursor, lexer, to: &output)
        }
    }

    /// Appends hex or base64, which may contain spaces anywhere.
    static func appendEncoded(
        _ kind: ldns_rdf_type,
        _ cursor: inout FieldCursor,
        _ lexer: borrowing MasterFileLexer,
        to output: inout [UInt8]
    ) throws(EntryFault) {
        guard let first = cursor.peek else { return }
        var text: [UInt8] = []
        while let token = cursor.peek {
            guard !token.isQuoted else {
                throw EntryFault(
                    token.place,
                    "this field of \(cursor.type) is not a text; remove the quotes"
                )
            }
            text += lexer.octets[token.range]
            cursor.next += 1
            // Twice the maximum number of rdata octets.
            guard text.count <= 131_070 else {
                throw EntryFault(
                    first.place,
                    "more than 65535 octets; shorten the field"
                )
            }
        }
        let isDOA = cursor.type.rawValue == 259 && text == [UInt8(ascii: "-")]
        let isFit = kind == LDNS_RDF_TYPE_HEX ? isHex(text) : isBase64(text) || isDOA
        guard isFit else {
            let encoding =
                kind == LDNS_RDF_TYPE_HEX
                ? "hex; write pairs of hex digits"
                : "base64; write groups of four of A-Z a-z 0-9 + /, padded with ="
            throw EntryFault(first.place, "\(lexer.quote(first.range)) is not \(encoding)")
        }
        try append(kind, text, first, lexer, to: &output)
    }

    private static func appendBitmap(
        _ cursor: inout FieldCursor,
        _ lexer: borrowing MasterFileLexer,
        to output: inout [UInt8]
    ) throws(EntryFault) {
        var types: Set<RecordType> = []
        let place = cursor.peek?.place ?? lexer.endOfEntry
        while let token = cursor.peek {
            types.insert(try recordType(token, lexer))
            cursor.next += 1
        }
        let sorted = types.sorted { $0.rawValue < $1.rawValue }
        guard let bitmap = LdnsField(bitmapOf: sorted) else {
            throw EntryFault(place, "libldns is out of memory for this list of types; shorten it")
        }
        output += bitmap.octets
    }
}
