import Synchronization

/// Has the value that it is a part of stay where it is.
///
/// The compiler passes a plain value to a function that only reads it as a copy, however large it is. What has an
/// atomic part is passed by its address.
public struct Pinned: ~Copyable {
    private let mark = Atomic<Bool>(true)

    public init() {}
}
