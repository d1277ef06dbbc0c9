import DNSWire
import Snapshot

/// The state of reading one zone.
struct ZoneFileSession {
    let apex: DomainName
    let foldedApex: [UInt8]
    let loader: any FileLoader
    /// Translates the AZ names in owners; nil to keep them.
    let azNames: OwnerAZNames?

    var contents = ZoneContents()
    var journal = ZoneFileJournal()
    var rdata = RdataReader()

    /// The origin that completes relative names.
    var origin: [UInt8]
    /// The value of `$TTL`, or the SOA's minimum in its place.
    var defaultTTL: UInt32?
    /// The last TTL that a record stated.
    var lastTTL: UInt32?
    var owner = Owner.none
    /// The text and value of the last type, a cache: consecutive records often have the same type.
    var lastType: (text: [UInt8], type: RecordType) = ([], .a)
    /// True if an SOA was found, even with errors; it is then not reported as missing.
    var hasSeenSOA = false

    /// The text of each of `contents.files`, for the excerpts of later diagnostics.
    var texts: [[UInt8]] = []
    /// The files being read; the first is the zone file itself.
    var openFiles: [OpenFile] = []
    var includedFiles = 0
    var generated = GenerateBudget()
    /// The octets read, counted at each reading, plus those that `$GENERATE` produced.
    var textOctets = 0
    /// The octets of files, counted at each reading.
    var fileOctets = 0
    /// The octets of repeated readings.
    var repeatedOctets = 0
    /// The length of each file, by its canonical path.
    var octetsOfFiles: [String: Int] = [:]
    /// The `$GENERATE` directive whose records are being read; nil outside of one.
    var directiveSite: (place: SourcePlace, excerpt: String)?
    /// Owners that end in an AZ name that the zone's owner does not have.
    var unknownAZNames = UnknownAZNames()
    /// True if an owner could differ with other `azNames`.
    var dependsOnAZNames = false

    /// True if only the apex is wanted, so that reading ends at the SOA.
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

    /// The owner for entries that start with a blank.
    enum Owner {
        case none
        case known(KnownOwner)
        /// The last owner had an error, which was reported; its records are checked but not stored.
        case faulty
    }

    /// An owner in the arena of the zone's contents.
    struct KnownOwner {
        var offset: UInt32
        var length: UInt8
        var isInZone: Bool
        /// Its text in the current file; empty if the same text could mean another name.
        var text: Range<Int>
    }

    /// A file being read.
    struct OpenFile {
        /// The path for diagnostics.
        var path: String
        /// The canonical path.
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
                "the zone file \(error); name a file that can be read"
            )
        }
    }

    /// Reads one file to its end; throws errors of the loader.
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
                if let place = lexer.numberSign { warn(at: place, lexer, Self.numberSignWarning) }
            } catch {
                if !hasSeenSOA { hasSeenSOA = Self.triesSOA(lexer) }
                journal.error(Self.explained(error, lexer), in: lexer)
            }
        }
        if hasStopped, !journal.saysThatItStopped {
            journal.sayThatItStopped(at: lexer.place(of: lexer.endOfEntry))
        }
    }

    private static let numberSignWarning =
        "a word that starts with # is not a comment in a zone file; write ; for a comment, or \\# for a literal #"

    /// Replaces an error after a `#` by the message that `#` does not start a comment.
    private static func explained(
        _ fault: EntryFault,
        _ lexer: borrowing MasterFileLexer
    ) -> EntryFault {
        guard let place = lexer.numberSign, place <= fault.offset else { return fault }
        return EntryFault(place, "# does not start a comment in a zone file; write ; instead")
    }

    /// Adds a warning about the current entry.
    mutating func warn(
        at offset: Int,
        _ lexer: borrowing MasterFileLexer,
        _ message: @autoclosure () -> String
    ) {
        guard journal.takesWarning() else { return }
        let (place, excerpt) = site(of: offset, lexer)
        journal.add(Diagnostic(.warning, at: place, message(), excerpt: excerpt))
    }

    /// Returns the place of an octet of the current entry, and the text of its line.
    func site(
        of offset: Int,
        _ lexer: borrowing MasterFileLexer
    ) -> (place: SourcePlace, excerpt: String) {
        directiveSite ?? (lexer.place(of: offset), lexer.excerpt(at: offset))
    }

    /// Reserves memory according to the size of the zone's own file; the kernel does not allocate
    /// pages that stay unused.
    private mutating func reserve(for octets: Int) {
        contents.records.reserveCapacity(octets / 16)
        contents.octets.reserveCapacity(octets / 2)
    }

    /// The limit of names and data for this amount of text: a long `$ORIGIN` expands each short
    /// name to 255 octets.
    var arenaLimit: Int { min(16 << 20 + 8 * textOctets, Int(UInt32.max)) }

    /// Returns true if an invalid entry was meant to be the SOA.
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
        // Set even if the directive is invalid, so that records without a TTL are not reported,
        // too.
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

    /// Reads a token as a name and makes it absolute.
    func name(
        _ token: MasterFileLexer.Token,
        _ lexer: borrowing MasterFileLexer
    ) throws(EntryFault) -> [UInt8] {
        var octets: [UInt8] = []
        if token.isQuoted {
            throw EntryFault(token.place, "a name must not be quoted; remove the quotes")
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
            "\(lexer.quote(extra.range)) is unexpected: \(rule); remove it"
        )
    }

    /// Call this when the same text can mean another name from here on.
    mutating func forgetOwnerText() {
        guard case .known(var known) = owner else { return }
        known.text = 0..<0
        owner = .known(known)
    }
}
