public import DNSWire
import Glibc
import Synchronization
public import Upstream

/// The cache of upstream answers, which all threads share and whose size is limited.
///
/// A hit takes no lock and allocates nothing (see `CacheStripe`). Expired entries stay until they
/// are evicted. The pipeline decides whether to serve them stale (RFC 8767).
@safe public final class ResponseCache: Sendable {
    // Nonisolated is sound: the pointer is only written in `init` and read in `deinit`.
    nonisolated(unsafe) private let memory: UnsafeMutableRawPointer?
    private let byteCount: Int
    /// The limits of the entries' lifetimes.
    public let limits: TTLLimits
    private let stripes: [CacheStripe]

    /// Reserves `byteCount` octets of address space, including the index.
    ///
    /// Memory is taken as the cache fills. With less than 64 KiB nothing is cached.
    public init(byteCount: Int, limits: TTLLimits = TTLLimits()) {
        self.limits = limits
        let stripeCount = max(1, min(64, byteCount / (1 << 20)))
        let stripeWords = byteCount / stripeCount / 8
        var slots = 16
        // One slot for 16 to 32 words: most entries have 20 to 40 words, and at most half of the
        // slots are used.
        while slots * 2 * 16 <= stripeWords { slots *= 2 }
        let ring = stripeWords - CacheStripe.wordCount(slots: slots, ring: 0)
        let wanted = byteCount >= 65_536 && ring > 0 ? byteCount : 0
        let memory = wanted == 0 ? nil : unsafe Self.map(wanted)
        unsafe self.memory = memory
        self.byteCount = wanted
        guard let memory = unsafe memory else {
            stripes = []
            return
        }
        // Sound: zeroed memory is a valid `Atomic<UInt64>` of value 0, and stripes do not overlap.
        let words = unsafe memory.bindMemory(
            to: Atomic<UInt64>.self,
            capacity: stripeCount * stripeWords
        )
        let states = EntryStates.random()
        stripes = (0..<stripeCount).map {
            unsafe CacheStripe(
                words + $0 * stripeWords,
                slots: slots,
                ring: ring,
                states: states
            )
        }
    }

    deinit {
        if let memory = unsafe memory { _ = unsafe munmap(memory, byteCount) }
    }

    private static func map(_ byteCount: Int) -> UnsafeMutableRawPointer? {
        let memory = unsafe mmap(
            nil,
            byteCount,
            PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
            -1,
            0
        )
        return unsafe memory == MAP_FAILED ? nil : memory
    }

    /// Copies a key's payload into `buffer`, even if it has expired; nil if there is none.
    ///
    /// `refreshTime` is the current time in seconds. With it, the result may say that this reader
    /// is to refresh the entry.
    @unsafe public func read(
        _ key: CacheKey,
        _ name: borrowing FoldedName,
        into buffer: UnsafeMutableRawBufferPointer,
        refreshTime: UInt32? = nil
    ) -> CachedEntry? {
        guard !stripes.isEmpty else { return nil }
        return unsafe stripes[stripe(of: key)].read(
            key,
            name,
            into: buffer,
            refreshTime: refreshTime
        )
    }

    /// Stores a payload; both times are in seconds of the process's steady clock.
    public func store(
        _ key: CacheKey,
        _ name: borrowing FoldedName,
        payload: Span<UInt8>,
        storedAt: UInt32,
        expiresAt: UInt32
    ) {
        guard !stripes.isEmpty else { return }
        stripes[stripe(of: key)].store(
            key,
            name,
            payload: payload,
            storedAt: storedAt,
            expiresAt: expiresAt
        )
    }

    /// Removes a key's payload, for which there is a newer answer that is not cached.
    public func remove(_ key: CacheKey, _ name: borrowing FoldedName) {
        guard !stripes.isEmpty else { return }
        stripes[stripe(of: key)].remove(key, name)
    }

    /// Removes the entries of `name` and of all names below it; the root removes everything.
    public func flush(below name: DomainName) {
        for stripe in stripes { stripe.removeAll { $0.isInside(name) } }
    }

    /// The number of entries, including expired ones.
    public var entryCount: Int { stripes.reduce(0) { $0 + $1.entryCount } }

    /// Octets in use, including keys and replaced entries that are not overwritten yet.
    public var octetCount: Int { stripes.reduce(0) { $0 + $1.octetCount } }

    private func stripe(of key: CacheKey) -> Int {
        Int(truncatingIfNeeded: key.hash >> 33) % stripes.count
    }
}

/// Identifies a cached answer, together with its name.
///
/// The route is part of the key, so that views with different rules never get each other's answers.
public struct CacheKey: Sendable, BitwiseCopyable {
    let hash: UInt64
    let routeID: UInt64
    /// Type, DO and CD; for NXDOMAIN, which covers all types, a mark in place of the type.
    let kind: UInt32

    /// The key of the answer for the name and the question's type.
    public init(_ question: UpstreamQuestion, _ name: borrowing FoldedName) {
        self.init(UInt32(question.type.rawValue), question, name)
    }

    /// The key of NXDOMAIN for the name, which covers all types (RFC 2308 §5) but not the names
    /// below.
    public init(absenceFor question: UpstreamQuestion, _ name: borrowing FoldedName) {
        self.init(1 << 18, question, name)
    }

    private init(_ what: UInt32, _ question: UpstreamQuestion, _ name: borrowing FoldedName) {
        routeID = question.routeID
        kind =
            what | (question.dnssecOK ? 1 << 16 : 0) | (question.checkingDisabled ? 1 << 17 : 0)
        let mixed =
            (name.hash(ofSuffix: 0) ^ question.routeID ^ UInt64(kind) << 20)
            &* 0x9E37_79B9_7F4A_7C15
        // A hash of 0 marks the unused end of the ring.
        hash = max(mixed ^ mixed >> 31, 1)
    }
}

/// A payload that was copied from the cache.
public struct CachedEntry: Sendable, BitwiseCopyable {
    /// Octets of the payload.
    public let length: Int
    public let storedAt: UInt32
    public let expiresAt: UInt32
    /// True for the one reader that is to refresh an entry that is read often and expires soon.
    public internal(set) var isToBeRefreshed = false

    /// Returns true in the last tenth of the entry's lifetime.
    func isAtItsEnd(_ now: UInt32) -> Bool {
        guard storedAt <= now, now < expiresAt else { return false }
        return UInt64(expiresAt - now) * 10 <= UInt64(expiresAt - storedAt)
    }
}
