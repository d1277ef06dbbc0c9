import DNSWire
import Glibc
import Resolver
import Snapshot

/// The cost of single stages of a query: `StageCosts STAGE COUNT` runs a stage that many times.
///
/// Under callgrind, the difference between two counts is the stage's number of instructions, which
/// is the same in every run. Without callgrind it prints nanoseconds, the minimum of several runs.
@main enum StageCosts {
    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, let stage = Stage(rawValue: arguments[1]),
            let count = Int(arguments[2]), count > 0
        else {
            print(
                "usage: StageCosts \(Stage.allCases.map(\.rawValue).joined(separator: "|")) COUNT"
            )
            exit(2)
        }
        let questions = Questions(for: stage)
        let octets = questions.octets.span
        var course = Course(stage, questions)
        var least = Double.infinity
        for _ in 0..<9 {
            let start = threadNanoseconds()
            for turn in 0..<count {
                course.run(octets.extracting(questions.place(inTurn: turn)))
            }
            least = min(least, Double(threadNanoseconds() - start) / Double(count))
        }
        print("\(stage.rawValue) \(least)")
    }

    private static func threadNanoseconds() -> Int {
        var time = timespec()
        // Sound: the call writes one timespec.
        _ = unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}

enum Stage: String, CaseIterable {
    /// Reading header, question and OPT.
    case decode
    /// Finding the class of the client's address among 10,000 VPC ranges.
    case classify
    /// Copying, folding and hashing the name, and finding its route.
    case route
    /// A private answer of three addresses, from message to reply.
    case privateAnswer = "private"
    /// The same with OPT in question and reply.
    case privateEDNS = "private-edns"
    /// The same while the replies of a network are counted.
    case privateLimited = "private-limited"
    /// A cached answer of three addresses, from message to reply.
    case cached
    /// A miss, from the client's message to its reply, without sockets.
    case missed
}
