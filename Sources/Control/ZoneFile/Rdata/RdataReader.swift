import CLdns
import DNSWire

/// Reads the rdata of one record from its tokens into wire form.
///
/// libldns reads every field, one at a time, so that a mistake is found at its token. What it lets
/// pass (numbers out of range, half octets of hex, trailing text and more) is refused before it gets
/// the text, and names are made absolute by us. `FieldText` holds the rules of single fields,
/// `CompositeRdata` the types whose fields libldns does not tell apart.
struct RdataReader {
    private var shapes: [RecordType: RdataShape] = [:]

    /// Appends the rdata that the tokens from `first` on hold to `output`; on an error the caller
    /// cuts `output` back.
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
                "\(lexer.quote(extra.range)) is one field too many for \(type); remove it, or quote a text that has blanks"
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
                "the text form of \(cursor.type) is not known; write \\# LENGTH HEX (RFC 3597 §5)"
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
                "\(cursor.type) needs \(shape.minimum) \(shape.minimum == 1 ? "field" : "fields") and this record has \(index); add the rest"
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

    /// Reads `\# LENGTH HEX…`, which is allowed for every type.
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
                "\\# without a length; write \\#, the number of octets up to 65535, and as many pairs of hex digits"
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
                "\\# says \(length) octets and \(output.count - start) follow; make the two agree"
            )
        }
        guard isRdata(output[start...], of: cursor.type) else {
            throw EntryFault(
                place,
                "these octets are no rdata of \(cursor.type); write the fields of \(cursor.type) instead"
            )
        }
    }

    /// Whether octets in wire form are what the type's own text form would give.
    ///
    /// Written out by libldns and read again they must come back the same: so `\#` admits nothing
    /// that a type with a text form would refuse.
    private mutating func isRdata(_ octets: ArraySlice<UInt8>, of type: RecordType) -> Bool {
        let type = RdataShape.likeness(of: type)
        guard let shape = shape(of: type) else { return true }
        guard !octets.isEmpty else { return shape.minimum == 0 }
        switch type.rawValue {
        // WKS and ATMA are written with words that only some systems know.
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

/// Where the reader of rdata stands among the tokens of its entry.
struct FieldCursor {
    let type: RecordType
    let tokens: [MasterFileLexer.Token]
    var next: Int
    /// What relative names end in.
    let origin: [UInt8]

    /// The next token, if there is one.
    var peek: MasterFileLexer.Token? { next < tokens.count ? tokens[next] : nil }

    /// The next token, which the type must have; `what` says what it is.
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
