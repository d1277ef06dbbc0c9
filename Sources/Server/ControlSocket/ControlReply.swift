/// What a command over the control socket comes to: a first line with the outcome, then text.
package enum ControlReply: Equatable, Sendable {
    /// `ok`, and what was asked for.
    case done(String)
    /// `failed`, and why: it was understood and could not be done.
    case failed(String)
    /// `error` and a reason on one line: it was no request.
    case error(String)

    package var text: String {
        switch self {
        case .done(let text): "ok\n" + text
        case .failed(let text): "failed\n" + text
        case .error(let reason): "error \(reason)\n"
        }
    }

    /// Reads what a server wrote; nil if it ended too early.
    package init?(reading text: String) {
        guard let end = text.firstIndex(of: "\n") else { return nil }
        let rest = String(text[text.index(after: end)...])
        switch text[..<end] {
        case "ok": self = .done(rest)
        case "failed": self = .failed(rest)
        case let line where line.hasPrefix("error "): self = .error(String(line.dropFirst(6)))
        default: return nil
        }
    }
}
