/// The room for questions in flight and their waiters: how much of it is taken.
///
/// A claimant may take as much as is free. So one claimant alone takes at most half of the room,
/// and two that take all they can have a third each. Some room is always left for claimants that
/// need little.
struct Room: BitwiseCopyable {
    var questions: Int32 = 0
    var waiters: Int32 = 0

    var isEmpty: Bool { questions == 0 && waiters == 0 }

    /// The number of questions and waiters that there is room for.
    struct Limits: Sendable, BitwiseCopyable {
        var questions: Int
        var waiters: Int
    }

    /// Returns whether a claimant that has `own` questions may have one more.
    @inline(__always)
    func hasRoomForQuestion(_ own: Int32, _ limits: Limits) -> Bool {
        Int(own) < limits.questions - Int(questions)
    }

    @inline(__always)
    func hasRoomForWaiter(_ own: Int32, _ limits: Limits) -> Bool {
        Int(own) < limits.waiters - Int(waiters)
    }
}

/// The owner of a share of the room: a number that stands for a group of clients.
public struct Claimant: Hashable, Sendable, BitwiseCopyable {
    /// The number.
    public let number: UInt32

    public init(_ number: UInt32) { self.number = number }

    /// The server itself, for its own questions.
    public static let server = Claimant(.max)
}
