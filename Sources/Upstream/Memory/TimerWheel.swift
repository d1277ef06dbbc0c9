/// A timer wheel for many small numbers: 4,096 spokes of two milliseconds, each with a list of
/// numbers.
///
/// A number has at most one timer. Setting, clearing and taking a timer take constant time. The
/// resolution is two milliseconds. A timer runs for at most 8 seconds; one that is set for longer
/// is shortened.
public struct TimerWheel: ~Copyable {
    private static let spokes = 4096
    private static let shift: UInt64 = 1

    struct Timer: BitwiseCopyable {
        var next: UInt32
        /// The previous number at its spoke; none for the first.
        var previous: UInt32
        /// Its spoke; `noSpoke` while it has no timer.
        var spoke: UInt16
    }

    private static let none = UInt32.max
    private static let noSpoke = UInt16.max

    private var timers = Table<Timer>()
    private var firsts = Table<UInt32>()
    /// One bit per spoke, set if the spoke has a number.
    private var isTaken = Table<UInt64>()
    /// The time up to which all numbers were taken, in spokes.
    private var turned: UInt64 = 0
    private var count = 0

    /// Creates a wheel without timers.
    public init() {
        for _ in 0..<Self.spokes { firsts.append(Self.none) }
        for _ in 0..<Self.spokes / 64 { isTaken.append(0) }
    }

    /// Sets the timer of a number, in place of an earlier one.
    public mutating func set(_ number: Int, due: Milliseconds, now: Milliseconds) {
        while timers.count <= number {
            timers.append(Timer(next: Self.none, previous: Self.none, spoke: Self.noSpoke))
        }
        clear(number)
        if count == 0 { turned = max(turned, now >> Self.shift) }
        // A timer is rounded up, so it is never early; a time in the past is due at once.
        let turn = max((due + 1) >> Self.shift, turned)
        let spoke = Int(min(turn, turned + UInt64(Self.spokes) - 1) & UInt64(Self.spokes - 1))
        let first = firsts[spoke]
        timers[number] = Timer(
            next: first,
            previous: Self.none,
            spoke: UInt16(truncatingIfNeeded: spoke)
        )
        if first != Self.none {
            timers[Int(first)].previous = UInt32(truncatingIfNeeded: number)
        }
        firsts[spoke] = UInt32(truncatingIfNeeded: number)
        isTaken[spoke >> 6] |= 1 << UInt64(spoke & 63)
        count += 1
    }

    /// Clears the timer of a number.
    public mutating func clear(_ number: Int) {
        guard number < timers.count, timers[number].spoke != Self.noSpoke else { return }
        let timer = timers[number]
        let spoke = Int(timer.spoke)
        if timer.next != Self.none { timers[Int(timer.next)].previous = timer.previous }
        if timer.previous != Self.none {
            timers[Int(timer.previous)].next = timer.next
        } else {
            firsts[spoke] = timer.next
            if timer.next == Self.none { isTaken[spoke >> 6] &= ~(1 << UInt64(spoke & 63)) }
        }
        timers[number].spoke = Self.noSpoke
        count -= 1
    }

    /// Returns a number that is due at `now`, and clears its timer; nil if none is due.
    public mutating func takeDue(at now: Milliseconds) -> Int? {
        let limit = now >> Self.shift
        guard count > 0, let turn = nextTurn, turn <= limit else {
            turned = max(turned, limit)
            return nil
        }
        turned = turn
        let number = Int(firsts[Int(turn & UInt64(Self.spokes - 1))])
        clear(number)
        return number
    }

    /// When the next number is due; nil if no timer is set.
    public var nextDue: Milliseconds? { count > 0 ? nextTurn.map { $0 << Self.shift } : nil }

    /// The time in spokes of the first spoke with a number, from `turned` on.
    private var nextTurn: UInt64? {
        let start = Int(turned & UInt64(Self.spokes - 1))
        for step in 0...Self.spokes / 64 {
            let word = (start >> 6 + step) & (Self.spokes / 64 - 1)
            var bits = isTaken[word]
            if step == 0 { bits &= .max << UInt64(start & 63) }
            if step == Self.spokes / 64 { bits &= ~(.max << UInt64(start & 63)) }
            guard bits != 0 else { continue }
            let spoke = word << 6 | bits.trailingZeroBitCount
            return turned + UInt64((spoke - start) & (Self.spokes - 1))
        }
        return nil
    }
}
