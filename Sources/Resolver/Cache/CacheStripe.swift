import DNSWire
import Glibc
import Synchronization

/// One stripe of the cache: a ring of entries and a hash index over them, in the cache's memory.
///
/// Writers take the stripe's lock. Readers take no lock: they copy an entry and then check whether
/// a writer was active in the meantime (a sequence lock). All words are accessed with relaxed
/// atomic operations, so a torn read gives a wrong value and never undefined behaviour. Every
/// offset that is read is checked before it is used.
///
/// The ring is a log. New entries are appended at the head, and entries at the tail are evicted. An
/// evicted entry that was read since it was stored is appended again (second chance).
@safe struct CacheStripe: @unchecked Sendable {
    // Sendable is sound: every access to the words is atomic, and the other properties are
    // constant.
    private let words: UnsafeMutablePointer<Atomic<UInt64>>
    private let slotCount: Int
    private let ringCount: Int
    private let states: EntryStates

    /// The words in front of the index and the ring.
    private enum Field: Int {
        /// Odd while a writer changes the stripe.
        case sequence
        /// 1 while a thread holds the lock.
        case lock
        /// Logical positions in words, which never decrease; the ring holds the words from `tail`
        /// up to `head`.
        case head, tail
        case entries
        static let count = 8
    }

    static func wordCount(slots: Int, ring: Int) -> Int { Field.count + slots + ring }

    /// Creates a stripe in `wordCount` zeroed words; `slots` is a power of two.
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

    /// Points to `count` words of the ring, from `index` on.
    @unsafe @inline(__always)
    private func ring(_ index: Int, count: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        precondition(index >= 0 && count >= 0 && index <= ringCount - count)
        // Sound: the words lie in the ring, as checked above; the ring follows the index.
        return unsafe words + (Field.count + slotCount + index)
    }
    private func setRing(_ index: Int, _ value: UInt64) {
        store(value, at: Field.count + slotCount + index)
    }

    // MARK: Reading

    /// Copies the payload of the key's entry into `buffer`, in whole words.
    ///
    /// Returns nil if there is no entry, or if the buffer is too small. `refreshTime` is the
    /// current time in seconds, or nil for a reader that cannot refresh entries.
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

    /// Marks an entry as read, and chooses the reader that refreshes it.
    ///
    /// That is the first reader in the last tenth of the entry's lifetime, if the entry was read
    /// before.
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

    /// Changes the state of an entry, and returns true if it did.
    ///
    /// Nothing changes if the entry is in another state by now, or if its place was overwritten.
    private func move(_ place: Int, from old: UInt64, to new: UInt64) -> Bool {
        let index = Field.count + slotCount + place + EntryHeader.stateWord
        precondition(index < Field.count + slotCount + ringCount)
        // Sound: the index was checked.
        return unsafe words[index].compareExchange(expected: old, desired: new, ordering: .relaxed)
            .exchanged
    }

    /// Finds where the key's entry starts in the ring, and checks that the entry ends within the
    /// ring.
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
        // Sound: `ring` checked that these words exist.
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
            // Sound: `ring` checked that these words exist.
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
            // The lock is held for a short time, unless the kernel preempts its holder.
            sched_yield()
        }
    }

    private func unlock() { unsafe words[Field.lock.rawValue].store(0, ordering: .releasing) }

    /// Takes the lock and makes the sequence odd, so that readers retry.
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

    /// Stores an entry in place of the key's old one.
    ///
    /// Nothing changes if the new entry is longer than half of the ring.
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

    /// Writes an entry after evicting others to make room for it.
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

    /// Removes the key's entry.
    func remove(_ key: CacheKey, _ name: borrowing FoldedName) {
        if lacks(key, name) { return }
        beginWriting()
        if let old = find(key, name)?.place { remove(old) }
        endWriting()
    }

    /// Returns true if the key has no entry; false if it has one, or if a writer is active.
    private func lacks(_ key: CacheKey, _ name: borrowing FoldedName) -> Bool {
        // Sound: index 0 is within every stripe.
        let before = unsafe words[Field.sequence.rawValue].load(ordering: .acquiring)
        guard before & 1 == 0, find(key, name) == nil else { return false }
        atomicMemoryFence(ordering: .acquiring)
        return field(.sequence) == before
    }

    /// Removes every entry whose name `matches`.
    ///
    /// The stripe is locked for at most 64 entries at a time, since readers wait while it is
    /// locked.
    func removeAll(where matches: (DomainName) -> Bool) {
        var position: UInt64 = 0
        while let next = removeSome(from: position, where: matches) { position = next }
    }

    /// Removes the matching ones among the next 64 entries, and returns the position after them.
    ///
    /// Returns nil at the head. An entry that a writer moves from the tail to the head in the
    /// meantime is checked there.
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

    /// Octets of the ring in use, including replaced entries that are not overwritten yet.
    var octetCount: Int {
        let words = Int(truncatingIfNeeded: field(.head) &- field(.tail))
        return min(max(words, 0), ringCount) * 8
    }

    // MARK: The ring, while the stripe is locked

    /// The number of entries that one store may append again, which bounds its work.
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
        // Sound: `ring` checked that these words exist.
        for index in 0..<names {
            unsafe words[index].store(name.word(at: index &* 8), ordering: .relaxed)
        }
        for index in 0..<payloads {
            unsafe words[names + index].store(payload.word(at: index &* 8), ordering: .relaxed)
        }
    }

    /// Appends evicted entries again that were read since they were stored (second chance).
    private func append(_ entries: [[UInt64]], chances: Int) {
        var (waiting, chances) = (entries, chances)
        while let next = waiting.popLast() {
            let place = makeRoom(for: next.count, chances: &chances, returning: &waiting)
            for (index, word) in next.enumerated() { setRing(place + index, word) }
            enter(place, hash: next[0])
        }
    }

    /// Reserves `count` consecutive words at the head, and returns where they start.
    ///
    /// Returns nil if entries have to be evicted first.
    private func takeFree(_ count: Int) -> Int? {
        let head = field(.head)
        let place = Int(head % UInt64(ringCount))
        guard count <= ringCount - place, field(.entries) < UInt64(slotCount / 2),
            head &+ UInt64(count) &- field(.tail) <= UInt64(ringCount)
        else { return nil }
        set(.head, head &+ UInt64(count))
        return place
    }

    /// Evicts entries at the tail until `count` consecutive words are free at the head, reserves
    /// these words, and returns where they start.
    ///
    /// Evicted entries that get a second chance are added to `waiting`.
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

    /// The number of words from a place without an entry to the end of the ring.
    private func gap(at place: Int) -> Int { ringCount - place }

    // MARK: The index, while the stripe is locked

    private func enter(_ place: Int, hash: UInt64) {
        var index = Int(truncatingIfNeeded: hash) & (slotCount - 1)
        while slot(index) != 0 { index = (index + 1) & (slotCount - 1) }
        setSlot(index, hash & ~0xFF_FFFF_FFFF | UInt64(place + 1))
        set(.entries, field(.entries) &+ 1)
    }

    /// Removes an entry from the index, closes the gap in the probe sequence, and marks the entry
    /// as dead.
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

/// The values of an entry's state word, which are random for each cache.
///
/// A reader may try to mark an entry that a writer has just overwritten. Random values keep it from
/// mistaking a word of an answer for a state.
struct EntryStates: Sendable {
    let unread: UInt64
    let read: UInt64
    /// Read, and its refresh was started.
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
