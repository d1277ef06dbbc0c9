/// The twelve octets in front of every message (RFC 1035 §4.1.1).
///
///      0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15
///     |QR|  opcode   |AA|TC|RD|RA| Z|AD|CD|   rcode   |
public enum Header {
    /// The size of the header in octets; the question starts here.
    public static let size = 12
    /// The maximum UDP payload for a client without EDNS (RFC 1035 §4.2.1).
    public static let classicPayload = 512

    public enum Flag {
        public static let response: UInt16 = 0x8000
        public static let authoritative: UInt16 = 0x0400
        public static let truncated: UInt16 = 0x0200
        public static let recursionDesired: UInt16 = 0x0100
        public static let recursionAvailable: UInt16 = 0x0080
        public static let authenticData: UInt16 = 0x0020
        public static let checkingDisabled: UInt16 = 0x0010
    }

    public enum Opcode {
        public static let query: UInt16 = 0
        public static let update: UInt16 = 5
        public static let mask: UInt16 = 0x7800

        /// Returns the opcode of a flags word, 0 to 15.
        public static func of(_ flags: UInt16) -> UInt16 { flags >> 11 & 0xF }
    }
}

extension Span where Element == UInt8 {
    /// Returns the two octets at `offset` in network order; nil if they are out of bounds.
    @inlinable @inline(__always) public func bigEndian16(at offset: Int) -> UInt16? {
        load(at: offset, as: UInt16.self).map(UInt16.init(bigEndian:))
    }

    /// Returns the four octets at `offset` in network order; nil if they are out of bounds.
    @inlinable @inline(__always) public func bigEndian32(at offset: Int) -> UInt32? {
        load(at: offset, as: UInt32.self).map(UInt32.init(bigEndian:))
    }

    /// Returns the eight octets at `offset` in network order; nil if they are out of bounds.
    @inlinable @inline(__always) public func bigEndian64(at offset: Int) -> UInt64? {
        load(at: offset, as: UInt64.self).map(UInt64.init(bigEndian:))
    }

    /// Loads a number in host order; nil if it is out of bounds.
    @inlinable @inline(__always) func load<Number: FixedWidthInteger & BitwiseCopyable>(
        at offset: Int,
        as type: Number.Type
    ) -> Number? {
        guard offset >= 0, offset <= count - MemoryLayout<Number>.size else { return nil }
        // Sound: the range was checked, and any octets are a valid number.
        return unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: type)
    }
}

extension [UInt8] {
    /// Appends 16 bits, most significant octet first.
    package mutating func append(bigEndian word: UInt16) {
        append(UInt8(truncatingIfNeeded: word >> 8))
        append(UInt8(truncatingIfNeeded: word))
    }
}
