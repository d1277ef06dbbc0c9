extension UnsafeMutableRawPointer {
    /// Allocates zeroed memory with an alignment of 16 octets.
    @unsafe package static func zeroed(byteCount: Int) -> UnsafeMutableRawPointer {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 16)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        return unsafe memory
    }
}
