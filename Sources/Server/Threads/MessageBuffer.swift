import Sockets

/// A buffer for the longest DNS message.
@safe struct MessageBuffer: ~Copyable {
    static let size = 65_535

    /// The memory, which is valid as long as `self` exists.
    @unsafe let memory: UnsafeMutableRawBufferPointer

    init() {
        unsafe memory = UnsafeMutableRawBufferPointer(
            start: .zeroed(byteCount: Self.size),
            count: Self.size
        )
    }

    deinit { unsafe memory.deallocate() }
}
