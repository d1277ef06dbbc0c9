import Sockets

/// Room for the longest message there is.
@safe struct MessageBuffer: ~Copyable {
    static let size = 65_535

    /// Lives as long as `self`; whoever uses it says for how long.
    @unsafe let memory: UnsafeMutableRawBufferPointer

    init() {
        unsafe memory = UnsafeMutableRawBufferPointer(
            start: .zeroed(byteCount: Self.size),
            count: Self.size
        )
    }

    deinit { unsafe memory.deallocate() }
}
