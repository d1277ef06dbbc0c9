import DNSWire

/// What the forwarder learns about upstreams from their answers and their silence.
extension Forwarder {
    /// Notes the time of an answer, and what it shows about OPT and letter case.
    ///
    /// Other upstreams that were asked and have not answered yet count as slower than the time so
    /// far.
    mutating func learn(
        answered: Int,
        _ question: Int,
        isNegative: Bool
    ) {
        let (turn, traits) = (attempts[answered].upstream, attempts[answered].traits)
        let server = server(of: answered)
        if traits.contains(.hasOPT) {
            servers[server: server].answeredOPT()
        } else if hasLeftUnanswered(.hasOPT, question, turn) {
            servers[server: server].answeredOnlyWithoutOPT(now: now)
        }
        learnCase(answered, question, isNegative: isNegative)
        var attempt = questions[question].firstAttempt
        while attempt != .max {
            let place = Int(attempt)
            attempt = attempts[place].next
            guard !attempts[place].traits.contains(.isOverConnection) else { continue }
            let time = now - min(attempts[place].sentAt, now)
            let other = self.server(of: place)
            if place == answered {
                servers[server: other].answered(after: time)
            } else if !attempts[place].traits.contains(.isHeard) {
                servers[server: other].outrun(after: time)
            }
        }
        if !traits.contains(.isOverConnection) { servers.heard(server, now: now) }
    }

    /// Notes what an answer shows about its upstream and letters in mixed case.
    mutating func learnCase(
        _ answered: Int,
        _ question: Int,
        isNegative: Bool
    ) {
        let (turn, traits) = (attempts[answered].upstream, attempts[answered].traits)
        let server = server(of: answered)
        if traits.contains(.mixesCase) {
            if !isNegative { servers[server: server].repeatedCase() }
        } else if questions[question].folds(turn) {
            servers[server: server].foldedCase(now: now)
        } else if !traits.contains(.isOverConnection) {
            // The case was not the reason if the answer to lower case is empty, too.
            if isNegative, find(question, turn, where: { $0.contains(.isDenied) }) != nil {
                servers[server: server].repeatedCase()
            } else if !isNegative, hasFailedMixed(question, turn) {
                servers[server: server].foldedCase(now: now)
            }
        }
    }

    /// True if an upstream has not answered letters in mixed case, or only with a useless answer.
    func hasFailedMixed(_ question: Int, _ turn: UInt8) -> Bool {
        find(question, turn) {
            $0.contains(.mixesCase) && !$0.isDisjoint(with: [.isInVain, .isDenied, .isMissed])
        } != nil
    }

    func isDowngraded(_ place: Int, _ question: Int) -> Bool {
        guard questions[question].asked.dnssecOK, !attempts[place].traits.contains(.hasOPT)
        else { return false }
        return hasLeftUnanswered(.hasOPT, question, attempts[place].upstream)
            && !servers[server: server(of: place)].isSilentToOPT(now: now)
    }

    /// Keeps the extended errors of an upstream; the last ones replace earlier ones.
    mutating func note(_ message: Span<UInt8>, _ question: Int) {
        guard let report = ReportedErrors(reading: message), let id = questions.id(at: question)
        else { return }
        questions[question].hasReport = true
        reports[QuestionID(slot: id)] = report
    }

    /// Counts at most one failure of an upstream per question, however often it was asked.
    mutating func noteSilence(_ attempt: Int, _ question: Int) {
        let turn = attempts[attempt].upstream
        let isNews = find(question, turn, where: { $0.contains(.isMissed) }) == nil
        attempts[attempt].traits.insert(.isMissed)
        guard isNews else { return }
        servers[server: server(of: attempt)].failed(
            sentAt: attempts[attempt].sentAt,
            now: now
        )
    }
}
