/// Random numbers that nobody outside can foretell, fetched many at a time.
///
/// Each thread owns one. What is fetched is passed in, so that a test can say what comes.
public struct RandomPool: ~Copyable {
    private var words: [UInt64]
    private var used: Int
    private let refill: @Sendable (inout [UInt64]) -> Void

    /// `refill` overwrites all the words it is given.
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
            // A number that was handed out is kept nowhere.
            words[used] = 0
            used += 1
        }
        return words[used]
    }

    /// A number below `bound`, which is over 0; all are equally likely but for less than 2^-32.
    public mutating func next(below bound: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }
}
