import DNSWire
import Snapshot

/// How many questions of a group are in flight below each domain: who asks for endless names of a
/// silent one must lose those, and not what else the group has asked before.
struct SuffixLoads {
    /// Questions of one group below one domain.
    private let limit: Int
    private var started = RecentObjects<UInt64, StartedQuestions>()
    /// When there are so many domains, those without questions are forgotten.
    private var sweepCount = 4096

    init(limit: Int) { self.limit = limit }

    /// The number of the domain that a name counts for: two labels, or one more than the rule's zone
    /// has; nil for names of no more than that.
    static func suffix(
        of name: borrowing FoldedName,
        on route: UInt64,
        below zone: DomainName,
        for group: ClientGroup
    ) -> UInt64? {
        let labels = max(2, zone.labels.count + 1)
        guard name.labelCount > labels else { return nil }
        let domain = name.hash(ofSuffix: name.labelCount - labels)
        return domain ^ route &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(group.bits)
    }

    mutating func begin(
        _ number: UInt64,
        below suffix: UInt64,
        among questions: borrowing NumberedSlots<QuestionInFlight>
    ) {
        let known = started.find(suffix)
        let questionsBelow = known ?? StartedQuestions()
        if known == nil { keep(questionsBelow, below: suffix) }
        questionsBelow.begin(number) { questions[$0]?.suffix == suffix }
    }

    mutating func end(below suffix: UInt64) { started.find(suffix)?.end() }

    /// Domains come and go; the same ones mostly.
    private mutating func keep(_ questions: StartedQuestions, below suffix: UInt64) {
        if started.count >= sweepCount {
            started.removeAll { $0.count == 0 }
            sweepCount = max(4096, 2 * started.count)
        }
        started.keep(questions, for: suffix)
    }

    /// The oldest question below a domain that has as many as it may.
    mutating func oldestInTheWay(
        below suffix: UInt64,
        among questions: borrowing NumberedSlots<QuestionInFlight>
    ) -> UInt64? {
        guard let questionsBelow = started.find(suffix), questionsBelow.count >= limit else {
            return nil
        }
        return questionsBelow.oldest { questions[$0]?.suffix == suffix }
    }
}
