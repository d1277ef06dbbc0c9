import DNSWire
import Snapshot

/// One reading of a zone: what is known between the entries of its files.
struct ZoneFileSession {
    let apex: DomainName
    let foldedApex: [UInt8]
    let loader: any FileLoader
    /// Translates the AZ names in owners; nil to keep them.
    let azNames: OwnerAZNames?

    var contents = ZoneContents()
    var journal = ZoneFileJournal()
    var rdata = RdataReader()

    /// What relative names end in.
    var origin: [UInt8]
    /// What `$TTL` says, or the SOA's minimum in its stead.
    var defaultTTL: UInt32?
    /// The last TTL that a record stated.
    var lastTTL: UInt32?
    var owner = Owner.none
    /// The last type's text and value, as records of a type often follow each other.
    var lastType: (text: [UInt8], type: RecordType) = ([], .a)
    /// An SOA was at least tried: one with a mistake is not missing.
    var hasSeenSOA = false

    /// The text of each of `contents.files`, for the excerpts of what is found at the end.
    var texts: [[UInt8]] = []
    /// Files being read, the zone's own first.
    var openFiles: [OpenFile] = []
    var includedFiles = 0
    var generated = GenerateBudget()
    /// Octets of text that were read, once for each time, and those that `$GENERATE` made.
    var textOctets = 0
    /// Octets of files, once for each time.
    var fileOctets = 0
    /// The same of files that had been read before.
    var repeatedOctets = 0
    /// The length of each file that was read, by its true path.
    var octetsOfFiles: [String: Int] = [:]
    /// The directive that makes the records which are being read; nil outside of `$GENERATE`.
    var directiveSite: (place: SourcePlace, excerpt: String)?
    /// Owners that end in an AZ name that the zone's owner does not have.
    var unknownAZNames = UnknownAZNames()
    /// An owner might be another name for another `azNames`.
    var dependsOnAZNames = false

    /// Reading ends with the SOA: only the apex is wanted.
    var endsAtSOA = false

    init(
        apex: DomainName,
        origin: DomainName,
        loader: any FileLoader,
        azNames: OwnerAZNames? = nil
    ) {
        self.apex = apex
        self.foldedApex = apex.folded.octets
        self.loader = loader
        self.azNames = azNames
        self.origin = origin.octets
    }

    /// The owner that an entry with a blank start has.
    enum Owner {
        case none
        case known(KnownOwner)
        /// The last owner had a mistake, which was told: what follows it is read but not kept.
        case faulty
    }

    /// An owner in the arena of the zone's contents.
    struct KnownOwner {
        var offset: UInt32
        var length: UInt8
        var isInZone: Bool
        /// Its text in the file being read; empty where the same text might mean another name.
        var text: Range<Int>
    }

    /// A file being read.
    struct OpenFile {
        /// As diagnostics show it.
        var path: String
        /// As the loader resolves it.
        var resolved: String
    }

    var hasStopped: Bool {
        journal.errorCount >= ZoneFileReader.errorLimit || endsAtSOA && hasSeenSOA
    }

    // MARK: Files

    mutating func readZone(path: String) {
        do {
            let resolved = try loader.resolved(path)
            try readFile(OpenFile(path: path, resolved: resolved))
        } catch {
            hasSeenSOA = true
            journal.error(
                at: SourcePlace(file: path),
                "the zone file \(error); name one that can be read"
            )
        }
    }

    /// Reads one file to its end; throws what the loader throws.
    mutating func readFile(_ file: OpenFile) throws {
        let octets = LineEnds.normalized(try loader.octets(of: file.resolved))
        guard !SecretText.isConfiguration(octets) else {
            throw FileFault(description: "is a configuration file with secrets")
        }
        if openFiles.isEmpty { reserve(for: octets.count) }
        textOctets += octets.count
        fileOctets += octets.count
        octetsOfFiles[file.resolved] = octets.count
        openFiles.append(file)
        defer { openFiles.removeLast() }
        let fileIndex = index(ofFile: file.path, octets)
        var lexer = MasterFileLexer(file: file.path, octets: octets)
        var count = 0
        while !hasStopped, lexer.nextEntry() {
            count += 1
            if count & 0xFF == 0, loader.isAbandoned { break }
            do throws(EntryFault) {
                try readEntry(lexer, fileIndex: fileIndex)
                if let place = lexer.numberSign { warn(at: place, lexer, Self.numberSignDoubt) }
            } catch {
                if !hasSeenSOA { hasSeenSOA = Self.triesSOA(lexer) }
                journal.error(Self.explained(error, lexer), in: lexer)
            }
        }
        if hasStopped, !journal.saysThatItStopped {
            journal.sayThatItStopped(at: lexer.place(of: lexer.endOfEntry))
        }
    }

    private static let numberSignDoubt =
        "a word that starts with # is read as it stands, since comments start with a semicolon; write ; instead, or \\# if it is meant"

    /// What is wrong from a `#` on is that it starts no comment.
    private static func explained(
        _ fault: EntryFault,
        _ lexer: borrowing MasterFileLexer
    ) -> EntryFault {
        guard let place = lexer.numberSign, place <= fault.offset else { return fault }
        return EntryFault(place, "# starts no comment in a zone file; write ; instead")
    }

    /// Notes a doubt about the current entry.
    mutating func warn(
        at offset: Int,
        _ lexer: borrowing MasterFileLexer,
        _ message: @autoclosure () -> String
    ) {
        guard journal.takesWarning() else { return }
        let (place, excerpt) = site(of: offset, lexer)
        journal.add(Diagnostic(.warning, at: place, message(), excerpt: excerpt))
    }

    /// Where people find an octet of the current entry, and its line.
    func site(
        of offset: Int,
        _ lexer: borrowing MasterFileLexer
    ) -> (place: SourcePlace, excerpt: String) {
        directiveSite ?? (lexer.place(of: offset), lexer.excerpt(at: offset))
    }

    /// Makes room for what a zone's own file of so many octets holds; the pages of what is too much stay
    /// untouched.
    private mutating func reserve(for octets: Int) {
        contents.records.reserveCapacity(octets / 16)
        contents.octets.reserveCapacity(octets / 2)
    }

    /// What the names and data of so much text may take: a long `$ORIGIN` makes 255 octets of each short name.
    var arenaLimit: Int { min(16 << 20 + 8 * textOctets, Int(UInt32.max)) }

    /// Whether an entry with a mistake was meant to be the SOA.
    private static func triesSOA(_ lexer: borrowing MasterFileLexer) -> Bool {
        lexer.tokens.prefix(4).contains { token in
            lexer.octets[token.range].elementsEqual("SOA".utf8)
                || lexer.octets[token.range].elementsEqual("soa".utf8)
        }
    }

    private mutating func index(ofFile path: String, _ octets: [UInt8]) -> UInt16 {
        if let known = contents.files.firstIndex(of: path) {
            return UInt16(truncatingIfNeeded: known)
        }
        contents.files.append(path)
        texts.append(octets)
        // The number of inclusions is limited far below 65,536.
        return UInt16(truncatingIfNeeded: contents.files.count - 1)
    }

    // MARK: Entries

    private mutating func readEntry(
        _ lexer: borrowing MasterFileLexer,
        fileIndex: UInt16
    ) throws(EntryFault) {
        if let fault = lexer.fault {
            if !lexer.startsWithBlank { owner = .faulty }
            throw fault
        }
        guard let first = lexer.tokens.first else { return }
        if !lexer.startsWithBlank, !first.isQuoted, lexer.octets[first.start] == .dollar {
            try readDirective(lexer, first, fileIndex: fileIndex)
        } else {
            try readRecord(lexer, file: fileIndex, line: lexer.entryLine)
        }
    }

    private mutating func readDirective(
        _ lexer: borrowing MasterFileLexer,
        _ first: MasterFileLexer.Token,
        fileIndex: UInt16
    ) throws(EntryFault) {
        let name = String(decoding: lexer.octets[first.range].prefix(16), as: UTF8.self)
        switch name.uppercased() {
        case "$ORIGIN": try readOrigin(lexer)
        case "$TTL": try readDefaultTTL(lexer)
        case "$INCLUDE": try readInclude(lexer)
        case "$GENERATE": try readGenerate(lexer, file: fileIndex)
        default:
            throw EntryFault(
                first.place,
                "\(lexer.quote(first.range)) is not a directive; write $ORIGIN, $TTL, $INCLUDE or $GENERATE, or \\$ for an owner that starts with a dollar"
            )
        }
    }

    private mutating func readOrigin(_ lexer: borrowing MasterFileLexer) throws(EntryFault) {
        guard lexer.tokens.count > 1 else {
            throw EntryFault(lexer.endOfEntry, "$ORIGIN without a name; write $ORIGIN NAME")
        }
        let name = try name(lexer.tokens[1], lexer)
        try refuseMore(than: 2, lexer, "$ORIGIN takes one name")
        origin = name
        forgetOwnerText()
    }

    private mutating func readDefaultTTL(_ lexer: borrowing MasterFileLexer) throws(EntryFault) {
        // Whatever is wrong with it, the records that rely on it need not all be told so.
        if defaultTTL == nil { defaultTTL = 0 }
        guard lexer.tokens.count > 1 else {
            throw EntryFault(lexer.endOfEntry, "$TTL without a time; write $TTL 3600 or $TTL 1h")
        }
        guard let ttl = try timeToLive(lexer.tokens[1], lexer) else {
            throw EntryFault(
                lexer.tokens[1].place,
                "\(lexer.quote(lexer.tokens[1].range)) is not a TTL; write seconds as in 3600, or units as in 1h30m"
            )
        }
        try refuseMore(than: 2, lexer, "$TTL takes one time")
        defaultTTL = ttl
    }

    /// A name of its own, made absolute.
    func name(
        _ token: MasterFileLexer.Token,
        _ lexer: borrowing MasterFileLexer
    ) throws(EntryFault) -> [UInt8] {
        var octets: [UInt8] = []
        if token.isQuoted {
            throw EntryFault(token.place, "a name stands without quotes; drop them")
        }
        do throws(NameFault) {
            try NameText.append(lexer.octets.span, token.range, origin: origin, to: &octets)
        } catch {
            throw EntryFault(token.place, error.message)
        }
        return octets
    }

    func refuseMore(
        than count: Int,
        _ lexer: borrowing MasterFileLexer,
        _ rule: String
    ) throws(EntryFault) {
        guard lexer.tokens.count > count else { return }
        let extra = lexer.tokens[count]
        throw EntryFault(
            extra.place,
            "\(lexer.quote(extra.range)) is too much here: \(rule); remove it"
        )
    }

    /// From here on the same text may mean another name.
    mutating func forgetOwnerText() {
        guard case .known(var known) = owner else { return }
        known.text = 0..<0
        owner = .known(known)
    }
}
