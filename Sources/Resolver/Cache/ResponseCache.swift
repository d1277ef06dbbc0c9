public import DNSWire
import Glibc
import Synchronization
public import Upstream

/// The answers of upstreams, shared by all threads, bounded by octets.
///
/// A hit takes no lock and allocates nothing (see `CacheStripe`). Entries past their time stay until
/// room is needed: serving them stale is the pipeline's decision (RFC 8767).
@safe public final class ResponseCache: Sendable {
    // Nonisolated is sound: the pointer is written in `init` and read in `deinit`.
    nonisolated(unsafe) private let memory: UnsafeMutableRawPointer?
    private let byteCount: Int
    /// How long what is in it may be used.
    public let limits: TTLLimits
    private let stripes: [CacheStripe]

    /// Sets aside `byteCount` octets of address space, index included; the memory is taken as it fills.
    ///
    /// Under 64 KiB nothing is cached.
    public init(byteCount: Int, limits: TTLLimits = TTLLimits()) {
        self.limits = limits
        let stripeCount = max(1, min(64, byteCount / (1 << 20)))
        let stripeWords = byteCount / stripeCount / 8
        var slots = 16
        // One slot for 32 words: most entries have 20 to 40 of them, and half of the slots are used.
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

    /// Copies a key's payload into `buffer`, expired or not; nil if there is none.
    ///
    /// With `refreshTime`, the time in seconds, it may turn out that the reader is to refresh it.
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

    /// Keeps a payload from `storedAt` to `expiresAt`, in seconds of the process's steady clock.
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

    /// Forgets a key's payload: it has been replaced by one that is not kept.
    public func remove(_ key: CacheKey, _ name: borrowing FoldedName) {
        guard !stripes.isEmpty else { return }
        stripes[stripe(of: key)].remove(key, name)
    }

    /// Forgets what is cached of `name` and all names below it; the root forgets everything.
    public func flush(below name: DomainName) {
        for stripe in stripes { stripe.removeAll { $0.isInside(name) } }
    }

    /// Entries held, expired ones included.
    public var entryCount: Int { stripes.reduce(0) { $0 + $1.entryCount } }

    /// Octets that they take, keys included.
    public var octetCount: Int { stripes.reduce(0) { $0 + $1.octetCount } }

    private func stripe(of key: CacheKey) -> Int {
        Int(truncatingIfNeeded: key.hash >> 33) % stripes.count
    }
}

/// What a cached answer is an answer to, beside its name.
///
/// The route is part of it, so that views with different rules never see each other's data.
public struct CacheKey: Sendable, BitwiseCopyable {
    let hash: UInt64
    let routeID: UInt64
    /// Type, DO and CD; or, for all types, that the name does not exist.
    let kind: UInt32

    /// The key of what the name has of the question's type.
    public init(_ question: UpstreamQuestion, _ name: borrowing FoldedName) {
        self.init(UInt32(question.type.rawValue), question, name)
    }

    /// The key of the name's NXDOMAIN, which holds for all types (RFC 2308 §5), but not for names below.
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
        // Zero marks the end of the ring.
        hash = max(mixed ^ mixed >> 31, 1)
    }
}

/// A payload that was copied out of the cache.
public struct CachedEntry: Sendable, BitwiseCopyable {
    /// Octets of the payload.
    public let length: Int
    public let storedAt: UInt32
    public let expiresAt: UInt32
    /// True for one reader of an entry that is wanted often and soon expires.
    public internal(set) var isToBeRefreshed = false

    /// In the last tenth of its life.
    func isAtItsEnd(_ now: UInt32) -> Bool {
        guard storedAt <= now, now < expiresAt else { return false }
        return UInt64(expiresAt - now) * 10 <= UInt64(expiresAt - storedAt)
    }
}
