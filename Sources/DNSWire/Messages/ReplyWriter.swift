/// Writes one reply into a buffer of the caller, never past its end.
///
/// A write that does not fit changes nothing and sets `isFull`. The caller checks this once at the
/// end of a record and rewinds. Nothing here allocates.
@safe public struct ReplyWriter: ~Copyable {
    let base: UnsafeMutableRawPointer
    /// The maximum number of octets: what client and transport accept, minus what is reserved.
    public var limit: Int
    /// The number of octets written.
    public internal(set) var count = 0
    /// True after a write that did not fit; `rewind` clears it.
    public internal(set) var isFull = false
    private let capacity: Int

    /// Makes a writer for `buffer`, which must stay valid and otherwise unused until the writer is
    /// destroyed.
    @unsafe public init(_ buffer: UnsafeMutableRawBufferPointer, limit: Int) {
        precondition(buffer.count >= Header.size)
        unsafe base = buffer.baseAddress.unsafelyUnwrapped
        capacity = buffer.count
        self.limit = min(limit, buffer.count)
    }

    /// Removes everything written after `count`.
    public mutating func rewind(to count: Int) {
        precondition(count <= self.count)
        self.count = count
        isFull = false
    }

    /// Removes everything written after `count` and ignores all further writes.
    ///
    /// The reply thus ends with a complete record.
    public mutating func close(at count: Int) {
        precondition(count <= self.count)
        self.count = count
        isFull = true
    }

    /// The number of octets that still fit.
    public var room: Int { isFull ? 0 : max(limit - count, 0) }

    /// Starts again with another limit.
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

    /// Writes the `count` equal parts of `octets`, each after 64 and 16 bits in network order;
    /// returns how many fit.
    ///
    /// Starts with part `first` and wraps around.
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
        // Sound: `reserve` made room for all of it, the source is initialised, and all `fitting`
        // parts of `size` octets are inside it.
        unsafe octets.withUnsafeBytes { source in
            guard let base = source.baseAddress else { return }
            let end = unsafe base + size * count
            var part = unsafe base + size * first
            for _ in 0..<fitting {
                unsafe place.storeBytes(of: word, as: UInt64.self)
                unsafe place.storeBytes(of: half, toByteOffset: 8, as: UInt16.self)
                if size == 6 {
                    // The common case, the length and address of an A record, without a function
                    // call.
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
        // Sound: `reserve` made room for `octets.count`, and the source is initialised.
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

    /// Writes a range starting at `middle` and wrapping around: all or nothing.
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
        // Sound: `reserve` made room for the whole part, which is initialised; the two copies
        // together have its size.
        unsafe part.withUnsafeBytes { source in
            guard let base = source.baseAddress else { return }
            let others = part.count - first
            unsafe start.copyMemory(from: base + others, byteCount: first)
            unsafe (start + first).copyMemory(from: base, byteCount: others)
        }
    }

    /// Overwrites two octets.
    @inline(__always) public mutating func patch16(_ value: UInt16, at offset: Int) {
        precondition(offset >= 0 && offset + 2 <= count)
        unsafe (base + offset).storeBytes(of: value.bigEndian, as: UInt16.self)
    }

    /// Overwrites four octets.
    @inline(__always) public mutating func patch32(_ value: UInt32, at offset: Int) {
        precondition(offset >= 0 && offset + 4 <= count)
        unsafe (base + offset).storeBytes(of: value.bigEndian, as: UInt32.self)
    }

    /// Calls `body` with the octets written so far.
    public func withOctets<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
        // Sound: the first `count` octets are initialised, and the buffer outlives the writer.
        body(unsafe Span(_unsafeBytes: UnsafeRawBufferPointer(start: base, count: count)))
    }
}
