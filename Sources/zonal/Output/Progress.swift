import Glibc

/// Shows the progress of a long operation, on a terminal only.
struct Progress {
    private let what: String
    private let isShown = isatty(STDERR_FILENO) == 1

    init(_ what: String) { self.what = what }

    /// Shows the progress; operations with few steps show nothing.
    func show(_ done: Int, of all: Int) {
        guard isShown, all >= 100, done % 50 == 0 || done == all else { return }
        Terminal.overwrite("\(what) \(done)/\(all)")
    }

    /// Removes the progress line.
    func end() { if isShown { Terminal.overwrite("") } }
}
