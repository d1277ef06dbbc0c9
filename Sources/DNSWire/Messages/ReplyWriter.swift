/// Writes one reply into memory that somebody else owns, and never past its end.
///
/// A write that does not fit leaves the position where it was and sets `isFull`; the caller looks once,
/// at the end of a record, and rewinds. Nothing here allocates.
@safe public struct ReplyWriter: ~Copyable {
    let base: UnsafeMutableRawPointer
    /// Octets that may be written: what the client and the transport take, less what is reserved.
    public var limit: Int
    /// Octets written so far.
    public internal(set) var count = 0
    /// True once a write did not fit; `rewind` clears it.
    public internal(set) var isFull = false
    private let capacity: Int

    /// Writes into `buffer`, which the caller keeps alive and leaves alone until the writer is done.
    @unsafe public init(_ buffer: UnsafeMutableRawBufferPointer, limit: Int) {
        precondition(buffer.count >= Header.size)
        unsafe base = buffer.baseAddress.unsafelyUnwrapped
        capacity = buffer.count
        self.limit = min(limit, buffer.count)
    }

    /// Drops what was written behind `count`.
    public mutating func rewind(to count: Int) {
        precondition(count <= self.count)
        self.count = count
        isFull = false
    }

    /// Drops what was written behind `count` since all of it does not fit, and whatever comes next.
    ///
    /// So the end of what is there is the end of a whole record.
    public mutating func close(at count: Int) {
        precondition(count <= self.count)
        self.count = count
        isFull = true
    }

    /// Octets that still fit.
    public var room: Int { isFull ? 0 : max(limit - count, 0) }

    /// Starts over with another limit.
    public mutating func reset(limit: Int) {
        self.limit = min(limit, capacity)
        count = 0
        isFull = false
    }

    @inline(__always)
    mutating func reserve(_ octets: Int) -> UnsafeMutableRawPointer? {
        guard !isFull, count + octets <= limit else {
            isFull = true
            return nil
        }
        // Sound: `count + octets` is at most `limit`, which is at most the buffer's size.
        let start = unsafe base + count
        count += octets
        return unsafe start
    }

    @inline(__always) public mutating func write8(_ value: UInt8) {
        guard let start = unsafe reserve(1) else { return }
        unsafe start.storeBytes(of: value, as: UInt8.self)
    }

    @inline(__always) public mutating func write16(_ value: UInt16) {
        guard let start = unsafe reserve(2) else { return }
        unsafe start.storeBytes(of: value.bigEndian, as: UInt16.self)
    }

    @inline(__always) public mutating func write32(_ value: UInt32) {
        guard let start = unsafe reserve(4) else { return }
        unsafe start.storeBytes(of: value.bigEndian, as: UInt32.self)
    }

    public mutating func write64(_ value: UInt64) {
        guard let start = unsafe reserve(8) else { return }
        unsafe start.storeBytes(of: value.bigEndian, as: UInt64.self)
    }

    /// Writes 64 and 16 bits, most significant octets first, in front of each of `count` equal parts of
    /// `octets`, of number `first` and those behind it, then of those before it, as many as fit; returns how
    /// many these are.
    @inline(__always) public mutating func write(
        _ word: UInt64,
        _ half: UInt16,
        beforeEachOf count: Int,
        in octets: Span<UInt8>,
        from first: Int
    ) -> Int {
        guard first >= 0, first < count else { return 0 }
        let size = octets.count / count
        var fitting = count
        if 10 * count + octets.count > limit - self.count { fitting = room / (10 + size) }
        guard var place = unsafe reserve((10 + size) * fitting) else { return 0 }
        let (word, half) = (word.bigEndian, half.bigEndian)
        // Sound: `reserve` made room for all of it, the source is initialised throughout, and `fitting` parts
        // of `size` octets lie in it, since `count` do.
        unsafe octets.withUnsafeBytes { source in
            guard let base = source.baseAddress else { return }
            let end = unsafe base + size * count
            var part = unsafe base + size * first
            for _ in 0..<fitting {
                unsafe place.storeBytes(of: word, as: UInt64.self)
                unsafe place.storeBytes(of: half, toByteOffset: 8, as: UInt16.self)
                if size == 6 {
                    // What most records are, an A record's length and address: a call costs more than they do.
                    let (length, address) = unsafe (
                        part.loadUnaligned(as: UInt16.self),
                        part.loadUnaligned(fromByteOffset: 2, as: UInt32.self)
                    )
                    unsafe place.storeBytes(of: length, toByteOffset: 10, as: UInt16.self)
                    unsafe place.storeBytes(of: address, toByteOffset: 12, as: UInt32.self)
                } else {
                    unsafe (place + 10).copyMemory(from: part, byteCount: size)
                }
                unsafe place += 10 + size
                unsafe part += size
                if unsafe part == end { unsafe part = base }
            }
        }
        if fitting < count { isFull = true }
        return fitting
    }

    @inline(__always) public mutating func write(_ octets: Span<UInt8>) {
        guard let start = unsafe reserve(octets.count), octets.count > 0 else { return }
        // Sound: `reserve` made room for `octets.count`, and the source is initialised throughout.
        unsafe octets.withUnsafeBufferPointer {
            unsafe start.copyMemory(from: $0.baseAddress.unsafelyUnwrapped, byteCount: $0.count)
        }
    }

    @inline(__always) public mutating func write(
        _ octets: Span<UInt8>,
        in range: Range<Int>
    ) {
        write(octets.extracting(range))
    }

    /// Writes what is behind `middle` of a range, then what is in front of it: all or nothing.
    @inline(__always) public mutating func write(
        _ octets: Span<UInt8>,
        in range: Range<Int>,
        from middle: Int
    ) {
        let part = octets.extracting(range)
        let first = range.upperBound - middle
        guard first >= 0, first <= part.count, let start = unsafe reserve(part.count) else {
            return
        }
        // Sound: `reserve` made room for the whole part, which is initialised throughout; `first` of its octets
        // and the others make all of it.
        unsafe part.withUnsafeBytes { source in
            guard let base = source.baseAddress else { return }
            let others = part.count - first
            unsafe start.copyMemory(from: base + others, byteCount: first)
            unsafe (start + first).copyMemory(from: base, byteCount: others)
        }
    }

    /// Overwrites two octets that were written before.
    @inline(__always) public mutating func patch16(_ value: UInt16, at offset: Int) {
        precondition(offset >= 0 && offset + 2 <= count)
        unsafe (base + offset).storeBytes(of: value.bigEndian, as: UInt16.self)
    }

    /// Overwrites four octets that were written before.
    @inline(__always) public mutating func patch32(_ value: UInt32, at offset: Int) {
        precondition(offset >= 0 && offset + 4 <= count)
        unsafe (base + offset).storeBytes(of: value.bigEndian, as: UInt32.self)
    }

    /// What has been written, for as long as `body` runs.
    public func withOctets<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
        // Sound: the first `count` octets were written, and the buffer outlives the writer.
        body(unsafe Span(_unsafeBytes: UnsafeRawBufferPointer(start: base, count: count)))
    }
}
