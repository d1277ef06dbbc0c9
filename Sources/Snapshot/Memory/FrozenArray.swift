/// An immutable array without reference counting.
///
/// The optimiser often adds a retain for an `Array` in a class; this is a pointer and a count. Its
/// owner keeps it, frees it once, and never lets it escape.
@safe struct FrozenArray<Element: BitwiseCopyable>: BitwiseCopyable, @unchecked Sendable {
    // Sendable is sound: only `init` writes the memory.
    fileprivate let base: UnsafeMutablePointer<Element>
    let count: Int

    init(_ elements: some Collection<Element>) {
        count = elements.count
        unsafe base = .allocate(capacity: max(elements.count, 1))
        _ = unsafe UnsafeMutableBufferPointer(start: base, count: count).initialize(
            fromContentsOf: elements
        )
    }

    @inline(__always) subscript(index: Int) -> Element {
        precondition(index >= 0 && index < count)
        // Sound: `count` elements are initialised, and the index was checked.
        return unsafe base[index]
    }

    /// Overwrites an element; only for builders, before the array is shared.
    func replace(at index: Int, with element: Element) {
        precondition(index >= 0 && index < count)
        unsafe base[index] = element
    }

    /// Frees the memory; the owner's `deinit` calls this once.
    func deallocate() { unsafe base.deallocate() }
}

extension FrozenArray where Element == UInt8 {
    /// Calls `body` with a range of octets, which it must not keep.
    func withSpan<Result>(_ start: Int, count length: Int, _ body: (Span<UInt8>) -> Result)
        -> Result
    {
        precondition(start >= 0 && length >= 0 && start + length <= count)
        // Sound: the range was checked, and the owner keeps the memory during the call.
        return body(unsafe Span(_unsafeStart: base + start, count: length))
    }
}
