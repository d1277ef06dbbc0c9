/// CRC-32C (Castagnoli), reflected: the checksum of a PROXY header.
///
/// Processes eight octets per step; each has its own row of the table.
@safe struct CRC32C {
    private var state: UInt32 = .max

    var checksum: UInt32 { ~state }

    mutating func add(_ octets: Span<UInt8>) {
        var index = 0
        while index + 8 <= octets.count {
            // Sound: any eight octets are a valid UInt64.
            let word = unsafe octets.bytes.unsafeLoadUnaligned(
                fromByteOffset: index,
                as: UInt64.self
            )
            add(eight: UInt64(littleEndian: word))
            index += 8
        }
        while index < octets.count {
            add(octets[index])
            index += 1
        }
    }

    mutating func add(_ octet: UInt8) {
        state = state >> 8 ^ Self.entry(0, state ^ UInt32(octet))
    }

    /// Adds eight octets; the first is in the low bits.
    private mutating func add(eight word: UInt64) {
        let low = UInt32(truncatingIfNeeded: word) ^ state
        let high = UInt32(truncatingIfNeeded: word >> 32)
        let first = Self.entry(7, low) ^ Self.entry(6, low >> 8)
        let second = Self.entry(5, low >> 16) ^ Self.entry(4, low >> 24)
        let third = Self.entry(3, high) ^ Self.entry(2, high >> 8)
        let fourth = Self.entry(1, high >> 16) ^ Self.entry(0, high >> 24)
        state = first ^ second ^ third ^ fourth
    }

    @inline(__always) private static func entry(_ row: Int, _ value: UInt32) -> UInt32 {
        // Sound: the table has eight rows of 256 entries.
        unsafe table[(row & 7) << 8 | Int(value & 0xFF)]
    }

    /// Row `n` has the CRC of an octet that is followed by `n` zero octets.
    ///
    /// Initialised at first use and never changed or freed, so any thread may read it.
    nonisolated(unsafe) private static let table: UnsafePointer<UInt32> = {
        let table = UnsafeMutablePointer<UInt32>.allocate(capacity: 2048)
        // Sound: every entry is written once before it is read.
        for octet in 0..<256 {
            var entry = UInt32(octet)
            for _ in 0..<8 { entry = entry >> 1 ^ (entry & 1 == 0 ? 0 : 0x82F6_3B78) }
            unsafe (table + octet).initialize(to: entry)
        }
        for index in 256..<2048 {
            let shorter = unsafe table[index - 256]
            let entry = unsafe shorter >> 8 ^ table[Int(shorter & 0xFF)]
            unsafe (table + index).initialize(to: entry)
        }
        return unsafe UnsafePointer(table)
    }()
}
