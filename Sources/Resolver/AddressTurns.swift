/// Chooses which address of an RRset an answer begins with.
///
/// Each address of an RRset comes first once in a round. A round begins at a random address; only
/// in an empty slot does it begin at the first one.
///
/// Each RRset counts its answers in one of 256 slots. With one counter for all answers, a client
/// that queries A and AAAA alternately, or through an alias, would always get the same address
/// first. An RRset that takes the slot of another one begins at a random address. Random starts
/// also keep clients that query in turn from getting the same address each time.
///
/// Each pipeline has its own slots; threads share nothing.
@safe struct AddressTurns: ~Copyable {
    private let slots: UnsafeMutablePointer<Slot>
    /// The state of the random number generator (wyrand), whose output need not be secret.
    private var state: UInt64

    private struct Slot: BitwiseCopyable {
        /// A hash of the RRset and its number of addresses; 0 marks an empty slot.
        var owner: UInt64 = 0
        /// The index of the address that this round began with.
        var start: UInt32 = 0
        /// The number of answers of this round so far.
        var turns: UInt32 = 0
    }

    private static let slotBits = 8

    init(seed: UInt64 = .random(in: .min ... .max)) {
        state = seed
        unsafe slots = .allocate(capacity: 1 << Self.slotBits)
        unsafe slots.initialize(repeating: Slot(), count: 1 << Self.slotBits)
    }

    deinit { unsafe slots.deallocate() }

    /// Returns the index of the address that comes first, from 0 to `count` - 1.
    ///
    /// `key` identifies the RRset. `count` must be greater than 0.
    @inline(__always) mutating func next(_ key: UInt64, among count: Int) -> Int {
        let owner = (key ^ UInt64(truncatingIfNeeded: count) << 48) &* 0x9E37_79B9_7F4A_7C15 | 1
        // Sound: the index has `slotBits` bits, so it is below the number of slots; access to
        // `self` is exclusive.
        let slot = unsafe slots + Int(truncatingIfNeeded: owner >> UInt64(64 - Self.slotBits))
        let count = UInt32(truncatingIfNeeded: count)
        var (start, turns) = unsafe (slot.pointee.start, slot.pointee.turns)
        if unsafe slot.pointee.owner != owner || turns >= count {
            // In an empty slot the first address comes first.
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
