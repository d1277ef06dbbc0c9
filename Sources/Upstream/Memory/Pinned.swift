import Synchronization

/// Makes the compiler pass the value that contains it by address.
///
/// The compiler copies a plain value when it passes it to a function that only reads it, however
/// large the value is. A value with an atomic part is passed by its address.
public struct Pinned: ~Copyable {
    private let mark = Atomic<Bool>(true)

    public init() {}
}
