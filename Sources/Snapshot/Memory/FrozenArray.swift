/// Elements that never change again, read without reference counting.
///
/// An `Array` in a class costs a retain where the optimiser can't prove it alive; this is a pointer and
/// a count. Its owner keeps it, frees it once, and never lets it escape.
@safe struct FrozenArray<Element: BitwiseCopyable>: BitwiseCopyable, @unchecked Sendable {
    // Sendable is sound: the memory is written in `init` alone.
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
        // Sound: `count` elements were initialised, and the index was checked.
        return unsafe base[index]
    }

    /// Overwrites an element; for builders, before anybody else sees the array.
    func replace(at index: Int, with element: Element) {
        precondition(index >= 0 && index < count)
        unsafe base[index] = element
    }

    /// Frees the memory; called once, by the owner's `deinit`.
    func deallocate() { unsafe base.deallocate() }
}

extension FrozenArray where Element == UInt8 {
    /// Hands a range of octets to `body`, which must not keep it.
    func withSpan<Result>(_ start: Int, count length: Int, _ body: (Span<UInt8>) -> Result)
        -> Result
    {
        precondition(start >= 0 && length >= 0 && start + length <= count)
        // Sound: the range was checked, and the owner keeps the memory during the call.
        return body(unsafe Span(_unsafeStart: base + start, count: length))
    }
}
