/// When each of many small numbers is due: a wheel of 4,096 spokes, two milliseconds each, with a list of numbers
/// at each spoke.
///
/// A number has one time at a time. Setting, clearing and taking one costs the same however many there are. A time
/// is kept to two milliseconds, and is at most 8 seconds ahead.
public struct TimerWheel: ~Copyable {
    private static let spokes = 4096
    private static let shift: UInt64 = 1

    struct Timer: BitwiseCopyable {
        var next: UInt32
        /// The number before it at its spoke; for the first, none.
        var previous: UInt32
        /// Its spoke; `noSpoke` while it has no time.
        var spoke: UInt16
    }

    private static let none = UInt32.max
    private static let noSpoke = UInt16.max

    private var timers = Table<Timer>()
    private var firsts = Table<UInt32>()
    /// A bit for each spoke that has a number.
    private var isTaken = Table<UInt64>()
    /// The time up to which all has been taken, in spokes.
    private var turned: UInt64 = 0
    private var count = 0

    /// Nothing is due yet.
    public init() {
        for _ in 0..<Self.spokes { firsts.append(Self.none) }
        for _ in 0..<Self.spokes / 64 { isTaken.append(0) }
    }

    /// Sets when a number is due, in place of what was set before.
    public mutating func set(_ number: Int, due: Milliseconds, now: Milliseconds) {
        while timers.count <= number {
            timers.append(Timer(next: Self.none, previous: Self.none, spoke: Self.noSpoke))
        }
        clear(number)
        if count == 0 { turned = max(turned, now >> Self.shift) }
        // Never before it is due; what is over is due at once.
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

    /// Nothing is due for the number any more.
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

    /// Takes a number that is due at `now`; nil if none is.
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

    /// When the next number is due; nil if none is.
    public var nextDue: Milliseconds? { count > 0 ? nextTurn.map { $0 << Self.shift } : nil }

    /// The first spoke with a number, from `turned` on.
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
