/// Room for questions in flight and for those who wait for them: how much of it is taken.
///
/// A claimant may have as much as is free. So one alone takes half of the room at most, of two that take
/// all they can get each has a third, and there is always something left for those who want little.
struct Room: BitwiseCopyable {
    var questions: Int32 = 0
    var waiters: Int32 = 0

    var isEmpty: Bool { questions == 0 && waiters == 0 }

    /// How many questions and waiters there is room for.
    struct Limits: Sendable, BitwiseCopyable {
        var questions: Int
        var waiters: Int
    }

    /// Whether a claimant that has so many questions may have one more.
    @inline(__always)
    func hasRoomForQuestion(_ own: Int32, _ limits: Limits) -> Bool {
        Int(own) < limits.questions - Int(questions)
    }

    @inline(__always)
    func hasRoomForWaiter(_ own: Int32, _ limits: Limits) -> Bool {
        Int(own) < limits.waiters - Int(waiters)
    }
}

/// Who has a share of the room: a number that the owner of the clients gives to a group of them.
public struct Claimant: Hashable, Sendable, BitwiseCopyable {
    /// The number.
    public let number: UInt32

    public init(_ number: UInt32) { self.number = number }

    /// The server, for what it asks itself.
    public static let server = Claimant(.max)
}
