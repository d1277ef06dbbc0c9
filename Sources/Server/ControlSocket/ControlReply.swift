/// The reply to a command over the control socket: a first line with the outcome, then text.
package enum ControlReply: Equatable, Sendable {
    /// `ok`, then the requested text.
    case done(String)
    /// `failed`, then the reason: the request is valid, but the server could not carry it out.
    case failed(String)
    /// `error` and a reason on one line: the request is invalid.
    case error(String)

    package var text: String {
        switch self {
        case .done(let text): "ok\n" + text
        case .failed(let text): "failed\n" + text
        case .error(let reason): "error \(reason)\n"
        }
    }

    /// Reads a server's reply; nil if it is incomplete or its first line is unknown.
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
