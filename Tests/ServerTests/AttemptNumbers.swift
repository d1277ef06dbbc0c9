@testable import Upstream

/// Attempts that a test numbers, as no forwarder gives them.
extension AttemptID {
    init(_ number: Int) { self.init(slot: SlotID(index: UInt32(number), turn: 1)) }
}
