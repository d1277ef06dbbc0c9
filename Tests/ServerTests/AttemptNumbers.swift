@testable import Upstream

/// Attempts with test numbers, which no forwarder uses.
extension AttemptID {
    init(_ number: Int) { self.init(slot: SlotID(index: UInt32(number), turn: 1)) }
}
