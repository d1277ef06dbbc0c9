/// Which address of an RRset an answer begins with: each of them once, then each of them once again, in an order
/// that is drawn anew.
///
/// A count of answers would do for one question that is repeated; but whoever asks for A and AAAA in turn, or
/// through an alias, would see every second count only, and the same address first for ever. So an RRset has a
/// count of its own, as long as no other takes its slot; one that does begins at random, and so does each round,
/// so that clients who take turns do not each get the same address.
///
/// Each pipeline has its own, and nothing is shared between threads.
@safe struct AddressTurns: ~Copyable {
    private let slots: UnsafeMutablePointer<Slot>
    /// The state of the generator (wyrand); what it says is no secret.
    private var state: UInt64

    private struct Slot: BitwiseCopyable {
        /// The RRset and the number of its addresses; 0 is nobody's.
        var owner: UInt64 = 0
        /// Where this round began, and how many turns it had.
        var start: UInt32 = 0
        var turns: UInt32 = 0
    }

    private static let slotBits = 8

    init(seed: UInt64 = .random(in: .min ... .max)) {
        state = seed
        unsafe slots = .allocate(capacity: 1 << Self.slotBits)
        unsafe slots.initialize(repeating: Slot(), count: 1 << Self.slotBits)
    }

    deinit { unsafe slots.deallocate() }

    /// The number of the address that comes first, below `count`, which is over 0; `key` tells RRsets apart.
    @inline(__always) mutating func next(_ key: UInt64, among count: Int) -> Int {
        let owner = (key ^ UInt64(truncatingIfNeeded: count) << 48) &* 0x9E37_79B9_7F4A_7C15 | 1
        // Sound: the index has `slotBits` bits, and `self` is held exclusively.
        let slot = unsafe slots + Int(truncatingIfNeeded: owner >> UInt64(64 - Self.slotBits))
        let count = UInt32(truncatingIfNeeded: count)
        var (start, turns) = unsafe (slot.pointee.start, slot.pointee.turns)
        if unsafe slot.pointee.owner != owner || turns >= count {
            // What nobody has had a turn of yet begins as it stands.
            start = unsafe slot.pointee.owner == 0 ? 0 : random(below: count)
            turns = 0
        }
        unsafe slot.pointee = Slot(owner: owner, start: start, turns: turns + 1)
        let number = start + turns
        return Int(number < count ? number : number - count)
    }

    private mutating func random(below count: UInt32) -> UInt32 {
        state &+= 0xA076_1D64_78BD_642F
        let product = state.multipliedFullWidth(by: state ^ 0xE703_7ED1_A0B4_28DB)
        let word = UInt64(UInt32(truncatingIfNeeded: (product.high ^ product.low) >> 32))
        return UInt32(truncatingIfNeeded: (word * UInt64(count)) >> 32)
    }
}
