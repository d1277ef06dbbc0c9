import DNSWire
import Snapshot

/// Entries that are records: `[OWNER] [TTL] [CLASS] TYPE RDATA`; TTL and class may be swapped.
extension ZoneFileSession {
    /// The part of an entry before the rdata.
    private struct Head {
        var ttl: UInt32?
        var type: RecordType
        /// The index of the first rdata token.
        var rdata: Int
    }

    /// Reads the record of the current entry and stores it; `line` is the line for diagnostics.
    mutating func readRecord(
        _ lexer: borrowing MasterFileLexer,
        file: UInt16,
        line: Int
    ) throws(EntryFault) {
        try readOwner(lexer)
        let head = try readHead(lexer, at: lexer.startsWithBlank ? 0 : 1)
        if head.type == .soa { hasSeenSOA = true }
        let start = contents.octets.count
        do throws(EntryFault) {
            try readRdata(head, lexer)
            let ttl = try timeToLive(of: head, rdata: start, lexer)
            try keep(head.type, ttl: ttl, rdata: start, lexer, file: file, line: line)
        } catch {
            contents.octets.removeSubrange(start...)
            throw error
        }
    }

    private mutating func readRdata(
        _ head: Head,
        _ lexer: borrowing MasterFileLexer
    ) throws(EntryFault) {
        if lexer.tokens.count == head.rdata + 1, !lexer.tokens[head.rdata].isQuoted {
            let range = lexer.tokens[head.rdata].range
            if head.type == .a,
                AddressText.appendV4(lexer.octets.span, range, to: &contents.octets)
            {
                return
            }
            if head.type == .aaaa,
                AddressText.appendV6(lexer.octets.span, range, to: &contents.octets)
            {
                return
            }
        }
        try rdata.read(
            head.type,
            from: lexer,
            at: head.rdata,
            origin: origin,
            to: &contents.octets
        )
    }

    private mutating func keep(
        _ type: RecordType,
        ttl: UInt32,
        rdata start: Int,
        _ lexer: borrowing MasterFileLexer,
        file: UInt16,
        line: Int
    ) throws(EntryFault) {
        guard case .known(let known) = owner else {
            contents.octets.removeSubrange(start...)
            return
        }
        let place = lexer.tokens.first?.place ?? 0
        guard known.isInZone else {
            throw EntryFault(
                place,
                "\(name(of: known)) is outside the zone \(apex); move it to its own zone, or check $ORIGIN and the final dot"
            )
        }
        guard contents.octets.count <= arenaLimit else {
            throw EntryFault(
                place,
                "the names and data of the zone exceed \(arenaLimit) octets, the limit for a text of this size; write shorter names, or split the zone"
            )
        }
        contents.records.append(
            ZoneContents.Record(
                ownerOffset: known.offset,
                ownerLength: known.length,
                type: type,
                ttl: ttl,
                rdataOffset: UInt32(truncatingIfNeeded: start),
                rdataLength: UInt16(truncatingIfNeeded: contents.octets.count - start),
                file: file,
                line: UInt32(truncatingIfNeeded: line)
            )
        )
    }

    // MARK: Owner

    /// Sets the current owner from the entry.
    private mutating func readOwner(_ lexer: borrowing MasterFileLexer) throws(EntryFault) {
        let token = lexer.tokens[0]
        if lexer.startsWithBlank {
            if case .none = owner {
                throw EntryFault(
                    token.place,
                    "the first record of a file cannot use the previous owner; write an owner, or @, at the start of the line"
                )
            }
            return
        }
        if isLastOwner(token, lexer) { return }
        owner = .faulty
        if token.isQuoted {
            throw EntryFault(token.place, "an owner must not be quoted; remove the quotes")
        }
        let start = contents.octets.count
        do throws(NameFault) {
            try NameText.append(
                lexer.octets.span,
                token.range,
                origin: origin,
                to: &contents.octets
            )
            if isInZone(from: start) {
                try translate(from: start, token, lexer)
            }
        } catch {
            contents.octets.removeSubrange(start...)
            throw EntryFault(token.place, error.message)
        }
        warnOfOwner(from: start, token, lexer)
        owner = .known(
            KnownOwner(
                offset: UInt32(truncatingIfNeeded: start),
                length: UInt8(truncatingIfNeeded: contents.octets.count - start),
                isInZone: isInZone(from: start),
                text: token.range
            )
        )
    }

    /// Warns if the owner is written in a way that was probably not intended.
    private mutating func warnOfOwner(
        from start: Int,
        _ token: MasterFileLexer.Token,
        _ lexer: borrowing MasterFileLexer
    ) {
        if lexer.octets[token.start] == .backslash { warnOfEscape(from: start, token, lexer) }
        let octets = lexer.octets.span
        for index in token.range where octets[index] >= 0x80 {
            guard let name = DomainName(octets: contents.octets[start...]),
                let warning = DeadName.warning(about: name.withoutWildcard)
            else { return }
            return warn(at: token.place, lexer, warning)
        }
    }

    /// Warns of an escaped asterisk, which is still a wildcard, and of Route 53's `\052`, which is
    /// not.
    private mutating func warnOfEscape(
        from start: Int,
        _ token: MasterFileLexer.Token,
        _ lexer: borrowing MasterFileLexer
    ) {
        if contents.octets[start...].starts(with: [1, UInt8(ascii: "*")]) {
            warn(
                at: token.place,
                lexer,
                "an escaped asterisk is still a wildcard (RFC 4592 §2.1.1); write * if this is intended, else another label"
            )
        } else if DeadName.startsWithOctalAsterisk(lexer.octets[token.range]) {
            warn(at: token.place, lexer, DeadName.octalAsterisk)
        }
    }

    /// Replaces the AZ names in the owner at the end of the arena by AZ IDs.
    private mutating func translate(
        from start: Int,
        _ token: MasterFileLexer.Token,
        _ lexer: borrowing MasterFileLexer
    ) throws(NameFault) {
        guard let azNames else { return }
        let found = try azNames.translate(
            &contents.octets,
            from: start,
            apexLength: foldedApex.count
        )
        if found.hasName { dependsOnAZNames = true }
        if found.isZonal { unknownAZNames.hasZonalLabels = true }
        guard let unknown = found.unknown else { return }
        guard unknownAZNames.takes(unknown) else { return }
        let (place, excerpt) = site(of: token.place, lexer)
        unknownAZNames.add(unknown, at: place, excerpt: excerpt)
    }

    private func isLastOwner(
        _ token: MasterFileLexer.Token,
        _ lexer: borrowing MasterFileLexer
    ) -> Bool {
        guard case .known(let known) = owner, known.text.count == token.range.count,
            !token.isQuoted
        else { return false }
        let octets = lexer.octets.span
        for index in 0..<token.range.count
        where octets[known.text.lowerBound + index] != octets[token.start + index] {
            return false
        }
        return true
    }

    /// Returns true if the name at the end of the arena, from `start` on, is the apex or below it.
    private func isInZone(from start: Int) -> Bool {
        let tail = contents.octets.count - foldedApex.count
        let octets = contents.octets.span
        var labels = LabelCursor(at: start)
        while labels.place < tail, labels.next(in: octets) != nil {}
        return labels.place == tail && octets.extracting(tail...).equalsFolded(foldedApex.span)
    }

    func name(of owner: KnownOwner) -> DomainName {
        let start = Int(owner.offset)
        return DomainName(octets: contents.octets[start..<start + Int(owner.length)]) ?? .root
    }

    // MARK: TTL, class, type

    private mutating func readHead(
        _ lexer: borrowing MasterFileLexer,
        at first: Int
    ) throws(EntryFault) -> Head {
        var index = first
        var ttl: UInt32?
        var (hasClass, hasAge) = (false, false)
        while index < lexer.tokens.count {
            let token = lexer.tokens[index]
            if lexer.holds(lastType.text, token) {
                return Head(ttl: ttl, type: lastType.type, rdata: index + 1)
            }
            if !hasAge, Self.isAge(token, lexer) {
                hasAge = true
            } else if ttl == nil, let stated = try timeToLive(token, lexer) {
                ttl = stated
            } else if !hasClass, try isClass(token, lexer) {
                hasClass = true
            } else {
                let type = try recordType(token, lexer)
                return Head(ttl: ttl, type: type, rdata: index + 1)
            }
            index += 1
        }
        throw EntryFault(lexer.endOfEntry, "a record without a type; write OWNER TTL IN TYPE DATA")
    }

    /// Returns true if a token is the time stamp of a dynamic record, as Windows writes it:
    /// `[AGE:3619244]`.
    private static func isAge(
        _ token: MasterFileLexer.Token,
        _ lexer: borrowing MasterFileLexer
    ) -> Bool {
        guard !token.isQuoted, !token.range.isEmpty, lexer.octets[token.start] == UInt8(ascii: "[")
        else { return false }
        let text = lexer.octets[token.range].map(DomainName.fold)
        guard let head = ["[age:", "[aging:"].first(where: { text.starts(with: $0.utf8) }),
            text.last == UInt8(ascii: "]")
        else { return false }
        let digits = text.dropFirst(head.utf8.count).dropLast()
        return !digits.isEmpty && digits.allSatisfy { $0.digit != nil }
    }

    /// Parses a TTL; nil if the token is something else.
    func timeToLive(
        _ token: MasterFileLexer.Token,
        _ lexer: borrowing MasterFileLexer
    ) throws(EntryFault) -> UInt32? {
        guard !token.isQuoted, !token.range.isEmpty, lexer.octets[token.start].digit != nil else {
            return nil
        }
        switch TimeToLive.read(lexer.octets.span, token.range, limit: TimeToLive.maximum) {
        case .seconds(let seconds): return seconds
        case .notATime: return nil
        case .tooLarge:
            throw EntryFault(
                token.place,
                "TTL \(lexer.quote(token.range)) is too large; write at most 2147483647 seconds (RFC 2181 §8)"
            )
        }
    }

    /// Returns true if a token is the class IN; throws for any other class.
    func isClass(
        _ token: MasterFileLexer.Token,
        _ lexer: borrowing MasterFileLexer
    ) throws(EntryFault) -> Bool {
        guard !token.isQuoted else { return false }
        let text = lexer.octets[token.range]
        if text.count == 2, text[token.start] | 0x20 == UInt8(ascii: "i"),
            text[token.start + 1] | 0x20 == UInt8(ascii: "n")
        {
            return true
        }
        // Only these letters start the name of a class.
        guard text.count <= 10, let first = text.first, "cChHaAnN".utf8.contains(first) else {
            return false
        }
        let word = String(decoding: text, as: UTF8.self).uppercased()
        if word == "CLASS1" { return true }
        let isNumbered = word.hasPrefix("CLASS") && UInt16(word.dropFirst(5)) != nil
        if isNumbered || ["CH", "CHAOS", "HS", "HESIOD", "ANY", "NONE"].contains(word) {
            throw EntryFault(token.place, "class \(word) is not supported; write IN")
        }
        return false
    }

    private mutating func recordType(
        _ token: MasterFileLexer.Token,
        _ lexer: borrowing MasterFileLexer
    ) throws(EntryFault) -> RecordType {
        let type = try FieldText.recordType(token, lexer)
        guard !type.isMeta, type.rawValue != 0 else {
            throw EntryFault(
                token.place,
                "\(type) is a query or meta type and cannot be a record; remove the record"
            )
        }
        lastType = (Array(lexer.octets[token.range]), type)
        return type
    }

    /// Returns the TTL of a record: its own, else `$TTL`, else the last stated one (RFC 1035 §5.1).
    ///
    /// Without any of them, an SOA uses its minimum, which then also becomes `$TTL`, as in BIND.
    private mutating func timeToLive(
        of head: Head,
        rdata start: Int,
        _ lexer: borrowing MasterFileLexer
    ) throws(EntryFault) -> UInt32 {
        if let stated = head.ttl {
            lastTTL = stated
            return stated
        }
        if let known = defaultTTL ?? lastTTL { return known }
        let place = lexer.tokens[max(0, head.rdata - 1)].place
        guard head.type == .soa else {
            // Report this once per file, since one line corrects it.
            defaultTTL = 0
            throw EntryFault(
                place,
                "the record has no TTL; write one before the type, or $TTL 3600 at the start of the file"
            )
        }
        let minimum = contents.octets.suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let ttl = min(minimum, TimeToLive.maximum)
        defaultTTL = ttl
        warn(
            at: place,
            lexer,
            "there is no $TTL, so the SOA's minimum of \(ttl) is used for every record; write $TTL \(ttl) at the start of the file"
        )
        return ttl
    }
}
