import DNSWire

/// `$GENERATE RANGE LHS [TTL] [CLASS] TYPE RHS`, as in BIND 9.
///
/// RHS is one token; rdata of several fields has to be quoted. The directive does not change the
/// last owner.
extension ZoneFileSession {
    mutating func readGenerate(
        _ lexer: borrowing MasterFileLexer,
        file: UInt16
    ) throws(EntryFault) {
        let tokens = lexer.tokens
        guard tokens.count >= 5 else {
            throw EntryFault(
                lexer.endOfEntry,
                "$GENERATE is incomplete; write $GENERATE START-STOP[/STEP] OWNER [TTL] [IN] TYPE DATA"
            )
        }
        let type = try typeIndex(lexer)
        guard type + 2 == tokens.count, let right = tokens.last else {
            let place = type + 2 < tokens.count ? tokens[type + 2].place : lexer.endOfEntry
            throw EntryFault(
                place,
                "$GENERATE takes one field of data after the type; quote data that contains spaces"
            )
        }
        let range = try GenerateRange(lexer.octets[tokens[1].range], at: tokens[1].place)
        try generated.take(records: range.count, at: tokens[1].place)
        let owner = GenerateTemplate(lexer, tokens[2])
        let data = GenerateTemplate(lexer, right)
        var head: [UInt8] = [.space]
        for token in tokens[3...type] { head += lexer.octets[token.range] + [.space] }
        let outerOwner = self.owner
        directiveSite = site(of: tokens[2].place, lexer)
        defer { (self.owner, directiveSite) = (outerOwner, nil) }
        for value in range.values {
            let text = try owner.expanded(with: value) + head + data.expanded(with: value)
            try generated.take(octets: text.count, at: right.place)
            textOctets += text.count
            try readGenerated(text, lexer, file: file, owner: tokens[2], data: right)
        }
    }

    /// Returns the index of the type: after the range, the owner, and a TTL and a class in either
    /// order.
    private func typeIndex(_ lexer: borrowing MasterFileLexer) throws(EntryFault) -> Int {
        var index = 3
        var hasTTL = false
        var hasClass = false
        while index < lexer.tokens.count {
            let token = lexer.tokens[index]
            if !hasTTL, try timeToLive(token, lexer) != nil {
                hasTTL = true
            } else if !hasClass, try isClass(token, lexer) {
                hasClass = true
            } else {
                _ = try FieldText.recordType(token, lexer)
                break
            }
            index += 1
        }
        return index
    }

    /// Reads one generated record; reports an error in it at the directive.
    private mutating func readGenerated(
        _ text: [UInt8],
        _ lexer: borrowing MasterFileLexer,
        file: UInt16,
        owner: MasterFileLexer.Token,
        data: MasterFileLexer.Token
    ) throws(EntryFault) {
        self.owner = .none
        var made = MasterFileLexer(file: lexer.file, octets: text)
        guard made.nextEntry(), made.fault == nil else {
            let reason = made.fault?.message ?? "the record is empty; write an owner"
            throw EntryFault(data.place, reason)
        }
        do throws(EntryFault) {
            try readRecord(made, file: file, line: lexer.entryLine)
        } catch {
            let isOwner = error.offset < (made.tokens.first?.end ?? 0)
            let shown = MasterFileLexer.printable(text.prefix(80))
            throw EntryFault(
                (isOwner ? owner : data).place,
                "\(error.message) (in the generated record `\(shown)`)"
            )
        }
    }
}

/// The remaining number of records and octets that `$GENERATE` may produce in one zone.
struct GenerateBudget {
    private static let recordLimit = 1_000_000
    private static let octetLimit = 1 << 26

    private var records = 0
    private var octets = 0

    mutating func take(records count: Int, at place: Int) throws(EntryFault) {
        records += min(count, Self.recordLimit + 1)
        guard records <= Self.recordLimit else {
            records -= min(count, Self.recordLimit + 1)
            throw EntryFault(
                place,
                "$GENERATE would make more than \(Self.recordLimit) records in this zone; write a smaller range, or a wildcard"
            )
        }
    }

    mutating func take(octets count: Int, at place: Int) throws(EntryFault) {
        octets += count
        guard octets <= Self.octetLimit else {
            throw EntryFault(place, "$GENERATE would make more than 64 MiB of text; write less")
        }
    }
}

/// `START-STOP` or `START-STOP/STEP`.
struct GenerateRange {
    let values: StrideThrough<Int>
    /// The number of values.
    let count: Int

    init(_ text: ArraySlice<UInt8>, at place: Int) throws(EntryFault) {
        let limit = UInt32(Int32.max)
        let halves = text.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        let tail = halves.last?.split(
            separator: UInt8(ascii: "/"),
            omittingEmptySubsequences: false
        )
        guard halves.count == 2, let tail, tail.count <= 2, let stopText = tail.first,
            let start = FieldText.number(halves[0], atMost: limit),
            let stop = FieldText.number(stopText, atMost: limit),
            let step = tail.count == 2 ? FieldText.number(tail[1], atMost: limit) : 1,
            start <= stop, step > 0
        else {
            let shown = MasterFileLexer.printable(text.prefix(40))
            throw EntryFault(
                place,
                "\"\(shown)\" is not a range; write START-STOP or START-STOP/STEP, from 0 to 2147483647, as in 1-254"
            )
        }
        self.values = stride(from: Int(start), through: Int(stop), by: Int(step))
        self.count = (Int(stop) - Int(start)) / Int(step) + 1
    }
}

/// A template for one field: `$` or `${OFFSET[,WIDTH[,BASE]]}` stands for the value.
struct GenerateTemplate {
    /// The limit of BIND.
    private static let widthLimit: UInt32 = 127
    private static let lengthLimit = 65_535

    private let text: [UInt8]
    private let place: Int

    init(_ lexer: borrowing MasterFileLexer, _ token: MasterFileLexer.Token) {
        var text: [UInt8] = []
        var rest = lexer.octets[token.range]
        while let octet = rest.popFirst() {
            // Inside quotes, \" is a quote, and the quotes themselves are not part of the data.
            if token.isQuoted, octet == .backslash, rest.first == .quote { continue }
            text.append(octet)
            if octet == .backslash, let next = rest.popFirst() { text.append(next) }
        }
        self.text = text
        self.place = token.place
    }

    /// Returns the text for one value.
    func expanded(with value: Int) throws(EntryFault) -> [UInt8] {
        var output: [UInt8] = []
        var rest = text[...]
        // As in BIND, an offset also applies to the plain $ after it.
        var offset = 0
        while let octet = rest.popFirst() {
            if octet == .backslash {
                output.append(octet)
                if let next = rest.popFirst() { output.append(next) }
            } else if octet == .dollar, rest.first == .dollar {
                output.append(.dollar)
                rest = rest.dropFirst()
            } else if octet == .dollar {
                let format = try Format(&rest, offset: offset, at: place)
                offset = format.offset
                output += try format.text(of: value, at: place)
            } else {
                output.append(octet)
            }
            guard output.count <= Self.lengthLimit else {
                throw EntryFault(place, "$GENERATE makes a field of over 65535 octets; write less")
            }
        }
        return output
    }

    /// The format of a value.
    private struct Format {
        var offset = 0
        var width = 0
        var base = UInt8(ascii: "d")

        /// Parses the braces at the start of `rest`, if there are any.
        init(
            _ rest: inout ArraySlice<UInt8>,
            offset: Int,
            at place: Int
        ) throws(EntryFault) {
            self.offset = offset
            guard rest.first == UInt8(ascii: "{") else { return }
            let fault = EntryFault(
                place,
                "malformed ${…}; write ${OFFSET}, ${OFFSET,WIDTH} or ${OFFSET,WIDTH,BASE} with a width up to \(GenerateTemplate.widthLimit) and base d, o, x, X, n or N"
            )
            guard let end = rest.firstIndex(of: UInt8(ascii: "}")) else { throw fault }
            let parts = rest[(rest.startIndex + 1)..<end].split(
                separator: UInt8(ascii: ","),
                omittingEmptySubsequences: false
            )
            rest = rest[(end + 1)...]
            guard (1...3).contains(parts.count), let offset = Self.signed(parts[0]) else {
                throw fault
            }
            self.offset = offset
            if parts.count > 1 {
                let limit = GenerateTemplate.widthLimit
                guard let width = FieldText.number(parts[1], atMost: limit) else { throw fault }
                self.width = Int(width)
            }
            if parts.count > 2 {
                guard parts[2].count == 1, let base = parts[2].first, "doxXnN".utf8.contains(base)
                else { throw fault }
                self.base = base
            }
        }

        private static func signed(_ text: ArraySlice<UInt8>) -> Int? {
            let isNegative = text.first == UInt8(ascii: "-")
            let digits = isNegative || text.first == UInt8(ascii: "+") ? text.dropFirst() : text
            guard let value = FieldText.number(digits, atMost: UInt32(Int32.max)) else {
                return nil
            }
            return isNegative ? -Int(value) : Int(value)
        }

        func text(of value: Int, at place: Int) throws(EntryFault) -> [UInt8] {
            let shifted = value + offset
            let isNibbles = base | 0x20 == UInt8(ascii: "n")
            guard let number = Int32(exactly: shifted), number >= 0 || !isNibbles else {
                throw EntryFault(
                    place,
                    "${\(offset)…} turns \(value) into \(shifted), which is out of range; write another offset"
                )
            }
            // Octal and hex show negative values as 32 bits, like C.
            let bits = UInt32(bitPattern: number)
            switch base {
            case UInt8(ascii: "n"), UInt8(ascii: "N"): return nibbles(of: shifted)
            case UInt8(ascii: "o"): return padded(String(bits, radix: 8))
            case UInt8(ascii: "x"): return padded(String(bits, radix: 16))
            case UInt8(ascii: "X"): return padded(String(bits, radix: 16, uppercase: true))
            default: return padded(String(number))
            }
        }

        /// Pads with zeros between the sign and the digits, like C's `%0*d`.
        private func padded(_ number: String) -> [UInt8] {
            let sign = number.hasPrefix("-") ? "-" : ""
            let zeros = String(repeating: "0", count: max(0, width - number.utf8.count))
            return Array((sign + zeros + number.dropFirst(sign.count)).utf8)
        }

        /// Returns the hex digits in reverse order, separated by dots, as in ip6.arpa.
        ///
        /// The width includes the dots.
        private func nibbles(of value: Int) -> [UInt8] {
            let isUpper = base == UInt8(ascii: "N")
            var rest = value
            var left = width
            var output: [UInt8] = []
            repeat {
                output += String(rest & 15, radix: 16, uppercase: isUpper).utf8
                rest >>= 4
                left = max(0, left - 1)
                if left > 0 || rest > 0 {
                    output.append(.dot)
                    left = max(0, left - 1)
                }
            } while rest > 0 || left > 0
            return output
        }
    }
}
