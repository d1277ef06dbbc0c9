import DNSWire
import Glibc
import Synchronization

/// One part of the cache: a ring of entries and an index over them, in memory that the cache owns.
///
/// Writers take the stripe's lock. Readers take none: they copy an entry out and look afterwards
/// whether a writer was there meanwhile (a sequence lock). All words are read and written atomically,
/// without order, so a torn read is a wrong value and never undefined; every offset read is checked
/// before it is used.
///
/// The ring is a log. New entries are appended, room is made at the tail, and an entry that was read
/// since it was written is appended anew instead of dropped: eviction by recency.
@safe struct CacheStripe: @unchecked Sendable {
    // Sendable is sound: every access to the words is atomic, and the geometry never changes.
    private let words: UnsafeMutablePointer<Atomic<UInt64>>
    private let slotCount: Int
    private let ringCount: Int
    private let states: EntryStates

    /// Words in front of index and ring.
    private enum Field: Int {
        /// Odd while a writer is at work.
        case sequence
        /// 1 while a writer holds the stripe.
        case lock
        /// Logical positions in words, counted for ever: the ring holds `tail` to `head`.
        case head, tail
        case entries
        static let count = 8
    }

    static func wordCount(slots: Int, ring: Int) -> Int { Field.count + slots + ring }

    /// `words` points at `wordCount` zeroed words; `slots` is a power of two.
    @unsafe init(
        _ words: UnsafeMutablePointer<Atomic<UInt64>>,
        slots: Int,
        ring: Int,
        states: EntryStates
    ) {
        unsafe self.words = words
        self.states = states
        slotCount = slots
        ringCount = ring
    }

    // MARK: Words

    @inline(__always) private func load(_ index: Int) -> UInt64 {
        precondition(index >= 0 && index < Field.count + slotCount + ringCount)
        // Sound: the index was checked against the size that the cache allocated.
        return unsafe words[index].load(ordering: .relaxed)
    }

    @inline(__always) private func store(_ value: UInt64, at index: Int) {
        precondition(index >= 0 && index < Field.count + slotCount + ringCount)
        unsafe words[index].store(value, ordering: .relaxed)
    }

    private func field(_ field: Field) -> UInt64 { load(field.rawValue) }
    private func set(_ field: Field, _ value: UInt64) { store(value, at: field.rawValue) }
    private func slot(_ index: Int) -> UInt64 { load(Field.count + index) }
    private func setSlot(_ index: Int, _ value: UInt64) { store(value, at: Field.count + index) }
    private func ring(_ index: Int) -> UInt64 { load(Field.count + slotCount + index) }

    /// `count` words of the ring from an index on.
    @unsafe @inline(__always)
    private func ring(_ index: Int, count: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        precondition(index >= 0 && count >= 0 && index <= ringCount - count)
        // Sound: the words were checked to lie in the ring, which is behind the index.
        return unsafe words + (Field.count + slotCount + index)
    }
    private func setRing(_ index: Int, _ value: UInt64) {
        store(value, at: Field.count + slotCount + index)
    }

    // MARK: Reading

    /// Copies the payload of a key's entry into `buffer`, in whole words; nil if there is none, or these do not fit.
    ///
    /// `refreshTime` is the time, for a reader that can have the entry refreshed.
    func read(
        _ key: CacheKey,
        _ name: borrowing FoldedName,
        into buffer: UnsafeMutableRawBufferPointer,
        refreshTime: UInt32?
    ) -> CachedEntry? {
        for _ in 0..<16 {
            // Sound: index 0 is within every stripe.
            let before = unsafe words[Field.sequence.rawValue].load(ordering: .acquiring)
            guard before & 1 == 0 else { continue }
            let found = unsafe copy(key, name, into: buffer)
            atomicMemoryFence(ordering: .acquiring)
            if field(.sequence) == before { return noteUse(of: found, refreshTime) }
        }
        lock()
        defer { unlock() }
        return noteUse(of: unsafe copy(key, name, into: buffer), refreshTime)
    }

    private func copy(
        _ key: CacheKey,
        _ name: borrowing FoldedName,
        into buffer: UnsafeMutableRawBufferPointer
    ) -> (place: Int, header: EntryHeader)? {
        guard let (place, header) = find(key, name), header.payloadWords * 8 <= buffer.count
        else { return nil }
        let first = place + EntryHeader.size + header.nameWords
        let payload = unsafe ring(first, count: header.payloadWords)
        for index in 0..<header.payloadWords {
            // Sound: the buffer holds all words of the payload.
            unsafe buffer.storeBytes(
                of: payload[index].load(ordering: .relaxed).littleEndian,
                toByteOffset: index &* 8,
                as: UInt64.self
            )
        }
        return (place, header)
    }

    /// Notes that an entry was read; the first reader in the last tenth of its life is to refresh it,
    /// if it is not the only one.
    private func noteUse(
        of found: (place: Int, header: EntryHeader)?,
        _ refreshTime: UInt32?
    ) -> CachedEntry? {
        guard let (place, header) = found else { return nil }
        var entry = CachedEntry(
            length: header.payloadLength,
            storedAt: header.storedAt,
            expiresAt: header.expiresAt
        )
        if header.state == states.unread {
            _ = move(place, from: states.unread, to: states.read)
        } else if header.state == states.read, let refreshTime, entry.isAtItsEnd(refreshTime) {
            entry.isToBeRefreshed = move(place, from: states.read, to: states.refreshed)
        }
        return entry
    }

    /// Changes the state of an entry; false if it has another now, or the place has been overwritten.
    private func move(_ place: Int, from old: UInt64, to new: UInt64) -> Bool {
        let index = Field.count + slotCount + place + EntryHeader.stateWord
        precondition(index < Field.count + slotCount + ringCount)
        // Sound: the index was checked.
        return unsafe words[index].compareExchange(expected: old, desired: new, ordering: .relaxed)
            .exchanged
    }

    /// Where the key's entry starts in the ring, its extent checked.
    private func find(
        _ key: CacheKey,
        _ name: borrowing FoldedName
    ) -> (place: Int, header: EntryHeader)? {
        var index = Int(truncatingIfNeeded: key.hash) & (slotCount - 1)
        for _ in 0..<slotCount {
            let slot = slot(index)
            if slot == 0 { return nil }
            let place = Int(truncatingIfNeeded: slot & 0xFF_FFFF_FFFF) - 1
            if slot >> 40 == key.hash >> 40, let header = header(at: place),
                header.hash == key.hash, holds(place, header, key, name)
            {
                return (place, header)
            }
            index = (index + 1) & (slotCount - 1)
        }
        return nil
    }

    @inline(__always) private func header(at place: Int) -> EntryHeader? {
        guard place >= 0, place + EntryHeader.size <= ringCount else { return nil }
        let words = unsafe ring(place, count: EntryHeader.size)
        // Sound: so many words are there.
        let header = unsafe EntryHeader(
            hash: words[0].load(ordering: .relaxed),
            sizes: words[1].load(ordering: .relaxed),
            times: words[2].load(ordering: .relaxed),
            routeID: words[3].load(ordering: .relaxed),
            state: words[EntryHeader.stateWord].load(ordering: .relaxed)
        )
        return place + header.wordCount <= ringCount ? header : nil
    }

    @inline(__always)
    private func holds(
        _ place: Int,
        _ header: EntryHeader,
        _ key: CacheKey,
        _ name: borrowing FoldedName
    ) -> Bool {
        guard header.routeID == key.routeID, header.kind == key.kind,
            header.nameLength == name.count
        else { return false }
        let words = unsafe ring(place + EntryHeader.size, count: header.nameWords)
        for index in 0..<header.nameWords {
            // Sound: so many words are there.
            let word = unsafe words[index].load(ordering: .relaxed)
            guard word == name.word(at: index &* 8) else { return false }
        }
        return true
    }

    // MARK: Writing

    private func lock() {
        // Sound: the lock's index is within every stripe.
        while unsafe !words[Field.lock.rawValue].compareExchange(
            expected: 0,
            desired: 1,
            ordering: .acquiring
        ).exchanged {
            // The holder copies an entry or two and is gone, unless it lost its processor.
            sched_yield()
        }
    }

    private func unlock() { unsafe words[Field.lock.rawValue].store(0, ordering: .releasing) }

    /// Takes the stripe and makes its sequence odd, which sends readers away.
    private func beginWriting() {
        lock()
        set(.sequence, field(.sequence) &+ 1)
        atomicMemoryFence(ordering: .releasing)
    }

    private func endWriting() {
        // Sound: index 0 is within every stripe.
        unsafe words[Field.sequence.rawValue].store(
            field(.sequence) &+ 1,
            ordering: .releasing
        )
        unlock()
    }

    /// Replaces the key's entry; one that does not fit into half of the ring is not kept.
    func store(
        _ key: CacheKey,
        _ name: borrowing FoldedName,
        payload: Span<UInt8>,
        storedAt: UInt32,
        expiresAt: UInt32
    ) {
        let header = EntryHeader(
            key: key,
            nameLength: name.count,
            payloadLength: payload.count,
            storedAt: storedAt,
            expiresAt: expiresAt,
            state: states.unread
        )
        guard header.wordCount <= ringCount / 2 else { return }
        beginWriting()
        if let old = find(key, name)?.place { remove(old) }
        if let place = takeFree(header.wordCount) {
            write(header, name, payload, at: place)
            enter(place, hash: header.hash)
        } else {
            replace(with: header, name, payload)
        }
        endWriting()
    }

    /// Writes an entry for which others have to go.
    @inline(never)
    private func replace(
        with header: EntryHeader,
        _ name: borrowing FoldedName,
        _ payload: Span<UInt8>
    ) {
        var replaced: [[UInt64]] = []
        var chances = Self.chances
        let place = makeRoom(for: header.wordCount, chances: &chances, returning: &replaced)
        write(header, name, payload, at: place)
        enter(place, hash: header.hash)
        append(replaced, chances: chances)
    }

    /// Forgets the key's entry.
    func remove(_ key: CacheKey, _ name: borrowing FoldedName) {
        if lacks(key, name) { return }
        beginWriting()
        if let old = find(key, name)?.place { remove(old) }
        endWriting()
    }

    /// True if there is no entry of the key; false if there is one, or a writer is at work.
    private func lacks(_ key: CacheKey, _ name: borrowing FoldedName) -> Bool {
        // Sound: index 0 is within every stripe.
        let before = unsafe words[Field.sequence.rawValue].load(ordering: .acquiring)
        guard before & 1 == 0, find(key, name) == nil else { return false }
        atomicMemoryFence(ordering: .acquiring)
        return field(.sequence) == before
    }

    /// Forgets every entry whose name `matches`, a few at a time: readers wait while the stripe is held.
    func removeAll(where matches: (DomainName) -> Bool) {
        var position: UInt64 = 0
        while let next = removeSome(from: position, where: matches) { position = next }
    }

    /// Forgets those among the next 64 entries; the position behind them, nil at the head.
    ///
    /// Entries that writers move meanwhile, from the tail to the head, are met there.
    private func removeSome(
        from start: UInt64,
        where matches: (DomainName) -> Bool
    ) -> UInt64? {
        beginWriting()
        defer { endWriting() }
        var position = max(start, field(.tail))
        for _ in 0..<64 {
            guard position < field(.head) else { return nil }
            let place = Int(position % UInt64(ringCount))
            guard let header = header(at: place), header.hash != 0 else {
                position &+= UInt64(gap(at: place))
                continue
            }
            if header.state != states.dead, matches(name(at: place, header)) { remove(place) }
            position &+= UInt64(header.wordCount)
        }
        return position
    }

    private func name(at place: Int, _ header: EntryHeader) -> DomainName {
        let octets = (0..<header.nameLength).map { index in
            UInt8(
                truncatingIfNeeded: ring(place + EntryHeader.size + index / 8)
                    >> UInt64(8 * (index % 8))
            )
        }
        return DomainName(octets: octets) ?? .root
    }

    var entryCount: Int { Int(truncatingIfNeeded: field(.entries)) }

    /// Octets of the ring in use, what was replaced and not yet overwritten included.
    var octetCount: Int {
        let words = Int(truncatingIfNeeded: field(.head) &- field(.tail))
        return min(max(words, 0), ringCount) * 8
    }

    // MARK: The ring, while the stripe is held

    /// Entries that one store appends anew, so that it does bounded work.
    private static let chances = 4

    @inline(__always)
    private func write(
        _ header: EntryHeader,
        _ name: borrowing FoldedName,
        _ payload: Span<UInt8>,
        at place: Int
    ) {
        setRing(place, header.hash)
        setRing(place + 1, header.sizes)
        setRing(place + 2, header.times)
        setRing(place + 3, header.routeID)
        setRing(place + EntryHeader.stateWord, header.state)
        let (names, payloads) = (header.nameWords, header.payloadWords)
        let words = unsafe ring(place + EntryHeader.size, count: names + payloads)
        // Sound: so many words are there.
        for index in 0..<names {
            unsafe words[index].store(name.word(at: index &* 8), ordering: .relaxed)
        }
        for index in 0..<payloads {
            unsafe words[names + index].store(payload.word(at: index &* 8), ordering: .relaxed)
        }
    }

    /// Appends anew what made room for another entry but had been read.
    private func append(_ entries: [[UInt64]], chances: Int) {
        var (waiting, chances) = (entries, chances)
        while let next = waiting.popLast() {
            let place = makeRoom(for: next.count, chances: &chances, returning: &waiting)
            for (index, word) in next.enumerated() { setRing(place + index, word) }
            enter(place, hash: next[0])
        }
    }

    /// Where `count` words in a row are free at the head, which moves behind them; nil if something has to go first.
    private func takeFree(_ count: Int) -> Int? {
        let head = field(.head)
        let place = Int(head % UInt64(ringCount))
        guard count <= ringCount - place, field(.entries) < UInt64(slotCount / 2),
            head &+ UInt64(count) &- field(.tail) <= UInt64(ringCount)
        else { return nil }
        set(.head, head &+ UInt64(count))
        return place
    }

    /// Frees the tail until `count` words in a row are free at the head, and moves that behind them; where
    /// they are.
    private func makeRoom(
        for count: Int,
        chances: inout Int,
        returning waiting: inout [[UInt64]]
    ) -> Int {
        let place = Int(field(.head) % UInt64(ringCount))
        let toEnd = ringCount - place
        if count > toEnd {
            free(toEnd, chances: &chances, returning: &waiting)
            setRing(place, 0)
            set(.head, field(.head) &+ UInt64(toEnd))
        }
        free(count, chances: &chances, returning: &waiting)
        while field(.entries) >= UInt64(slotCount / 2), field(.tail) < field(.head) {
            dropTail(chances: &chances, returning: &waiting)
        }
        let head = field(.head)
        set(.head, head &+ UInt64(count))
        return Int(head % UInt64(ringCount))
    }

    private func free(
        _ count: Int,
        chances: inout Int,
        returning waiting: inout [[UInt64]]
    ) {
        while field(.head) &+ UInt64(count) &- field(.tail) > UInt64(ringCount) {
            dropTail(chances: &chances, returning: &waiting)
        }
    }

    private func dropTail(chances: inout Int, returning waiting: inout [[UInt64]]) {
        let place = Int(field(.tail) % UInt64(ringCount))
        guard let header = header(at: place), header.hash != 0 else {
            set(.tail, field(.tail) &+ UInt64(gap(at: place)))
            return
        }
        if header.state != states.dead {
            if header.state != states.unread, chances > 0 {
                chances -= 1
                var entry = (0..<header.wordCount).map { ring(place + $0) }
                entry[EntryHeader.stateWord] = states.unread
                waiting.append(entry)
            }
            remove(place)
        }
        set(.tail, field(.tail) &+ UInt64(header.wordCount))
    }

    /// Words from a place that holds no entry to the end of the ring.
    private func gap(at place: Int) -> Int { ringCount - place }

    // MARK: The index, while the stripe is held

    private func enter(_ place: Int, hash: UInt64) {
        var index = Int(truncatingIfNeeded: hash) & (slotCount - 1)
        while slot(index) != 0 { index = (index + 1) & (slotCount - 1) }
        setSlot(index, hash & ~0xFF_FFFF_FFFF | UInt64(place + 1))
        set(.entries, field(.entries) &+ 1)
    }

    /// Takes an entry out of the index, closing the gap that this leaves in the probe sequence.
    private func remove(_ place: Int) {
        let mask = slotCount - 1
        var hole = Int(truncatingIfNeeded: ring(place)) & mask
        while slot(hole) & 0xFF_FFFF_FFFF != UInt64(place + 1) {
            if slot(hole) == 0 { return }
            hole = (hole + 1) & mask
        }
        setRing(place + EntryHeader.stateWord, states.dead)
        set(.entries, field(.entries) &- 1)
        var next = (hole + 1) & mask
        while slot(next) != 0 {
            let home = Int(truncatingIfNeeded: ring(Int(slot(next) & 0xFF_FFFF_FFFF) - 1)) & mask
            if (next &- home) & mask >= (next &- hole) & mask {
                setSlot(hole, slot(next))
                hole = next
            }
            next = (next + 1) & mask
        }
        setSlot(hole, 0)
    }
}

/// The words in front of an entry's name and payload.
private struct EntryHeader {
    let hash: UInt64
    let sizes: UInt64
    let times: UInt64
    let routeID: UInt64
    let state: UInt64

    static let size = 5
    static let stateWord = 4

    init(hash: UInt64, sizes: UInt64, times: UInt64, routeID: UInt64, state: UInt64) {
        self.hash = hash
        self.sizes = sizes
        self.times = times
        self.routeID = routeID
        self.state = state
    }

    init(
        key: CacheKey,
        nameLength: Int,
        payloadLength: Int,
        storedAt: UInt32,
        expiresAt: UInt32,
        state: UInt64
    ) {
        hash = key.hash
        sizes = UInt64(payloadLength) << 32 | UInt64(nameLength) << 24 | UInt64(key.kind)
        times = UInt64(storedAt) << 32 | UInt64(expiresAt)
        routeID = key.routeID
        self.state = state
    }

    var payloadLength: Int { Int(truncatingIfNeeded: sizes >> 32) }
    var nameLength: Int { Int(truncatingIfNeeded: sizes >> 24 & 0xFF) }
    var kind: UInt32 { UInt32(truncatingIfNeeded: sizes & 0xFF_FFFF) }
    var storedAt: UInt32 { UInt32(truncatingIfNeeded: times >> 32) }
    var expiresAt: UInt32 { UInt32(truncatingIfNeeded: times) }
    var nameWords: Int { (nameLength + 7) / 8 }
    var payloadWords: Int { (payloadLength + 7) / 8 }
    var wordCount: Int { Self.size + nameWords + payloadWords }
}

/// What the state word of an entry says, in numbers that nobody outside knows.
///
/// A reader marks an entry that may just have been overwritten; it must not mistake a word of somebody's
/// answer for a state.
struct EntryStates: Sendable {
    let unread: UInt64
    let read: UInt64
    /// Read, and its refreshment begun.
    let refreshed: UInt64
    let dead: UInt64

    static func random() -> EntryStates {
        let base = UInt64.random(in: .min ... .max)
        return EntryStates(
            unread: base,
            read: base &+ 1,
            refreshed: base &+ 2,
            dead: base &+ 3
        )
    }
}
