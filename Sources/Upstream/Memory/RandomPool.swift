/// Random numbers that nobody outside can predict, generated many at a time.
///
/// Each thread owns one. The generator is passed in, so that a test can choose the numbers.
public struct RandomPool: ~Copyable {
    private var words: [UInt64]
    private var used: Int
    private let refill: @Sendable (inout [UInt64]) -> Void

    /// Creates an empty pool; `refill` has to overwrite all words that it is given.
    public init(refill: @escaping @Sendable (inout [UInt64]) -> Void) {
        words = [UInt64](repeating: 0, count: 64)
        used = 64
        self.refill = refill
    }

    public mutating func next() -> UInt64 {
        if used == words.count {
            refill(&words)
            used = 0
        }
        defer {
            // A number that was returned is kept nowhere.
            words[used] = 0
            used += 1
        }
        return words[used]
    }

    /// Returns a number below `bound`, which must be greater than 0.
    ///
    /// All numbers are equally likely, up to a difference of less than 2^-32.
    public mutating func next(below bound: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }
}
