extension UnsafeMutableRawPointer {
    /// New memory full of zeros, aligned for anything.
    @unsafe package static func zeroed(byteCount: Int) -> UnsafeMutableRawPointer {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 16)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        return unsafe memory
    }
}
