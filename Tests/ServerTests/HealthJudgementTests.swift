import Server
import Snapshot
import Testing

@Suite struct `The judgement of an address` {
    /// The state after each check: `+` passed, `-` failed; `U` up, `D` down.
    @Test(arguments: [
        ("--", "UU"), ("---", "UUD"), ("--+--", "UUUUU"), ("--+---", "UUUUUD"),
        ("---+", "UUDD"), ("---++", "UUDDU"), ("---+-++", "UUDDDDU"),
        ("---++--", "UUDDUUU"), ("---++---", "UUDDUUUD"), ("+++", "UUU"),
    ])
    func `changes after as many checks in a row as rise and fall say`(
        checks: String,
        states: String
    ) {
        var check = HealthCheck()
        (check.rise, check.fall) = (2, 3)
        var judgement = HealthJudgement()
        var found = ""
        for outcome in checks {
            let before = judgement.isUp
            let hasChanged = judgement.note(hasPassed: outcome == "+", by: check)
            #expect(hasChanged == (judgement.isUp != before))
            found += judgement.isUp ? "U" : "D"
        }
        #expect(found == states)
    }
}
