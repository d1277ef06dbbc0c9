import CLdns
import DNSWire

/// Reads the rdata of one record from its tokens into wire format.
///
/// libldns reads the fields one at a time, so that an error has the place of its token. Texts that
/// libldns would accept wrongly (numbers out of range, half octets of hex, trailing text) are
/// rejected before. Names are made absolute here. `FieldText` has the rules of single fields,
/// `CompositeRdata` the types that libldns does not split into fields.
struct RdataReader {
    private var shapes: [RecordType: RdataShape] = [:]

    /// Appends the rdata of the tokens from `first` on to `output`; on an error the caller
    /// truncates `output` again.
    mutating func read(
        _ type: RecordType,
        from lexer: borrowing MasterFileLexer,
        at first: Int,
        origin: [UInt8],
        to output: inout [UInt8]
    ) throws(EntryFault) {
        let start = output.count
        var cursor = FieldCursor(type: type, tokens: lexer.tokens, next: first, origin: origin)
        if let token = cursor.peek, !token.isQuoted, Self.isUnknownForm(lexer.octets[token.range]) {
            try readUnknownForm(&cursor, lexer, to: &output)
        } else if try !CompositeRdata.read(&cursor, lexer, to: &output) {
            try readFields(&cursor, lexer, to: &output)
        }
        if let extra = cursor.peek {
            throw EntryFault(
                extra.place,
                "\(lexer.quote(extra.range)) is one field too many for \(type); remove it, or quote a text that contains spaces"
            )
        }
        guard output.count - start <= 65_535 else {
            throw EntryFault(
                lexer.tokens[first].place,
                "rdata of \(output.count - start) octets; a record has at most 65535"
            )
        }
    }

    private mutating func readFields(
        _ cursor: inout FieldCursor,
        _ lexer: borrowing MasterFileLexer,
        to output: inout [UInt8]
    ) throws(EntryFault) {
        guard let shape = shape(of: cursor.type) else {
            throw EntryFault(
                cursor.peek?.place ?? lexer.endOfEntry,
                "the text form of \(cursor.type) is not supported; write \\# LENGTH HEX (RFC 3597 §5)"
            )
        }
        var index = 0
        while let token = cursor.peek, let kind = shape.kind(of: index) {
            let isLast = shape.repeated == nil && index == shape.fields.count - 1
            if isLast, FieldText.mayTakeTheRest(kind) {
                try FieldText.appendRest(kind, &cursor, lexer, to: &output)
            } else {
                cursor.next += 1
                try FieldText.append(kind, token, cursor, lexer, to: &output)
            }
            index += 1
        }
        guard index >= shape.minimum else {
            throw EntryFault(
                lexer.endOfEntry,
                "\(cursor.type) needs \(shape.minimum) \(shape.minimum == 1 ? "field" : "fields"), this record has \(index); add the missing fields"
            )
        }
    }

    private mutating func shape(of type: RecordType) -> RdataShape? {
        if let known = shapes[type] { return known }
        let shape = RdataShape(type)
        shapes[type] = shape
        return shape
    }

    // MARK: RFC 3597 §5

    private static func isUnknownForm(_ text: ArraySlice<UInt8>) -> Bool {
        text.elementsEqual([.backslash, UInt8(ascii: "#")])
    }

    /// Reads `\# LENGTH HEX…`, which every type allows.
    private mutating func readUnknownForm(
        _ cursor: inout FieldCursor,
        _ lexer: borrowing MasterFileLexer,
        to output: inout [UInt8]
    ) throws(EntryFault) {
        let start = output.count
        let place = cursor.peek?.place ?? lexer.endOfEntry
        cursor.next += 1
        guard let lengthToken = cursor.peek,
            let length = FieldText.number(lexer.octets[lengthToken.range], atMost: 65_535)
        else {
            throw EntryFault(
                cursor.peek?.place ?? lexer.endOfEntry,
                "\\# without a length; write \\#, the number of octets up to 65535, and that many pairs of hex digits"
            )
        }
        cursor.next += 1
        let hexPlace = cursor.peek?.place ?? lexer.endOfEntry
        if cursor.peek != nil {
            try FieldText.appendRest(LDNS_RDF_TYPE_HEX, &cursor, lexer, to: &output)
        }
        guard output.count - start == Int(length) else {
            throw EntryFault(
                hexPlace,
                "\\# states \(length) octets, but \(output.count - start) follow; correct the length or the data"
            )
        }
        guard isRdata(output[start...], of: cursor.type) else {
            throw EntryFault(
                place,
                "these octets are not valid rdata of \(cursor.type); write the fields of \(cursor.type) instead"
            )
        }
    }

    /// Returns true if the octets are valid rdata of a type that has a text form.
    ///
    /// Prints them with libldns and reads the text again; the result must be equal. Thus `\#`
    /// allows nothing that the text form of the type would reject.
    private mutating func isRdata(_ octets: ArraySlice<UInt8>, of type: RecordType) -> Bool {
        let type = RdataShape.likeness(of: type)
        guard let shape = shape(of: type) else { return true }
        guard !octets.isEmpty else { return shape.minimum == 0 }
        switch type.rawValue {
        // libldns prints WKS and ATMA with words that depend on the system.
        case 11: return octets.count > 5
        case 34: return octets.count > 1
        default: break
        }
        let text = ZonePrinter.rdataText(type: type, rdata: octets)
        var lexer = MasterFileLexer(file: "", octets: Array(text.utf8))
        guard lexer.nextEntry(), lexer.fault == nil, let first = lexer.tokens.first,
            !Self.isUnknownForm(lexer.octets[first.range])
        else { return false }
        var again: [UInt8] = []
        do {
            try read(type, from: lexer, at: 0, origin: [0], to: &again)
        } catch {
            return false
        }
        return again.elementsEqual(octets)
    }
}

/// The position of the rdata reader in the tokens of an entry.
struct FieldCursor {
    let type: RecordType
    let tokens: [MasterFileLexer.Token]
    var next: Int
    /// The origin that is appended to relative names.
    let origin: [UInt8]

    /// The next token, if any.
    var peek: MasterFileLexer.Token? { next < tokens.count ? tokens[next] : nil }

    /// Takes the next token, which the type requires; `what` names the field in the error.
    mutating func take(
        _ what: String,
        _ lexer: borrowing MasterFileLexer
    ) throws(EntryFault) -> MasterFileLexer.Token {
        guard let token = peek else {
            throw EntryFault(lexer.endOfEntry, "\(type) lacks its \(what); add it")
        }
        next += 1
        return token
    }
}
