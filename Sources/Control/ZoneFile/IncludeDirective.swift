import DNSWire

/// `$INCLUDE FILE [ORIGIN]` (RFC 1035 §5.1).
///
/// The file's path is relative to the including file and must stay in the directory of the zone
/// file: error messages of an untrusted zone file must not quote other files. After the included
/// file, origin and last owner are those of the including file again; `$TTL` stays.
extension ZoneFileSession {
    private static let depthLimit = 16
    private static let fileLimit = 1_000
    /// The number of octets that may be read again, in addition to the octets read once.
    private static let repeatLimit = 1 << 20

    mutating func readInclude(_ lexer: borrowing MasterFileLexer) throws(EntryFault) {
        guard lexer.tokens.count > 1 else {
            throw EntryFault(
                lexer.endOfEntry,
                "$INCLUDE without a file; write $INCLUDE FILE, relative to this file"
            )
        }
        let token = lexer.tokens[1]
        let newOrigin = lexer.tokens.count > 2 ? try name(lexer.tokens[2], lexer) : origin
        try refuseMore(than: 3, lexer, "$INCLUDE takes a file and an optional origin")
        let file = try includedFile(token, lexer)
        try refuseTooMany(token.place)
        try refuseRepetition(of: file, token.place)

        let (outerOrigin, outerOwner) = (origin, owner)
        (origin, owner) = (newOrigin, .none)
        defer {
            (origin, owner) = (outerOrigin, outerOwner)
            forgetOwnerText()
        }
        do {
            try readFile(file)
        } catch {
            throw EntryFault(
                token.place,
                "\(file.path.shown) \(error); name a file that can be read"
            )
        }
    }

    private func includedFile(
        _ token: MasterFileLexer.Token,
        _ lexer: borrowing MasterFileLexer
    ) throws(EntryFault) -> OpenFile {
        guard let written = String(validating: lexer.octets[token.range], as: UTF8.self),
            !written.isEmpty, !written.contains("\\"),
            MasterFileLexer.printable(lexer.octets[token.range]) == written
        else {
            throw EntryFault(
                token.place,
                "\(lexer.quote(token.range)) is not a valid file name; write UTF-8 without backslashes and control characters"
            )
        }
        guard !written.hasPrefix("/") else {
            throw EntryFault(
                token.place,
                "\(lexer.quote(token.range)) is an absolute path; write it relative to this file"
            )
        }
        let directory = PathText.directory(of: openFiles.last?.path ?? "")
        let path = PathText.joined(directory, written)
        let resolved: String
        let root: String
        do {
            resolved = try loader.resolved(path)
            root = try loader.resolved(PathText.directory(of: openFiles.first?.path ?? ""))
        } catch {
            throw EntryFault(token.place, "\(path.shown) \(error); name a file that can be read")
        }
        guard PathText.isInside(resolved, root) else {
            throw EntryFault(
                token.place,
                "\(lexer.quote(token.range)) is outside the zone file's directory; keep included files in it or below it"
            )
        }
        if openFiles.contains(where: { $0.resolved == resolved }) {
            let chain = (openFiles.map(\.path.shown) + [path.shown]).joined(separator: " > ")
            throw EntryFault(
                token.place,
                "the file includes itself: \(chain); remove one of these $INCLUDE lines"
            )
        }
        return OpenFile(path: path, resolved: resolved)
    }

    private mutating func refuseTooMany(_ place: Int) throws(EntryFault) {
        includedFiles += 1
        guard openFiles.count <= Self.depthLimit else {
            throw EntryFault(
                place,
                "$INCLUDE is nested more than \(Self.depthLimit) levels deep; use fewer levels"
            )
        }
        guard includedFiles <= Self.fileLimit else {
            throw EntryFault(place, "more than \(Self.fileLimit) $INCLUDE directives; use fewer")
        }
    }

    /// Limits repeated inclusion: small files may be included for many origins, large ones may not.
    private mutating func refuseRepetition(
        of file: OpenFile,
        _ place: Int
    ) throws(EntryFault) {
        guard let known = octetsOfFiles[file.resolved] else { return }
        repeatedOctets += known
        guard repeatedOctets <= Self.repeatLimit + textOctets / 2 else {
            throw EntryFault(
                place,
                "\(file.path.shown) has been included before and is too large to be included again; include it once"
            )
        }
    }
}
