import Glibc

/// How far a long piece of work has come, on a terminal only.
struct Progress {
    private let what: String
    private let isShown = isatty(STDERR_FILENO) == 1

    init(_ what: String) { self.what = what }

    /// Shows a step of `all`; a piece of few steps is not worth a line.
    func show(_ done: Int, of all: Int) {
        guard isShown, all >= 100, done % 50 == 0 || done == all else { return }
        Terminal.overwrite("\(what) \(done)/\(all)")
    }

    /// Takes the line away.
    func end() { if isShown { Terminal.overwrite("") } }
}
