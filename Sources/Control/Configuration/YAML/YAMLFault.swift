/// Why a text is not valid YAML for a configuration, and where.
struct YAMLFault: Error {
    /// A place in the text.
    enum Place {
        case mark(YAMLEvents.Mark)
        /// An offset in octets, from 0.
        case octet(Int)
    }

    var place: Place
    var message: String
    /// True if a tab on the line may be the real cause.
    private var mayBeTab = false

    init(at mark: YAMLEvents.Mark, _ message: String) {
        place = .mark(mark)
        self.message = message
    }

    init(octet: Int, _ message: String) {
        place = .octet(octet)
        self.message = message
    }

    /// Makes a fault of libyaml's message; `context` is what it was parsing, and the line where
    /// that starts.
    init(at mark: YAMLEvents.Mark, problem: String, during context: (text: String, line: Int)?) {
        place = .mark(mark)
        mayBeTab = true
        let during = context.map { " \($0.text), which starts at line \($0.line)" } ?? ""
        message =
            "not YAML: \(problem)\(during); check indentation, quotes and brackets up to here"
    }

    /// Reports the fault at its place in `octets`, the text of `file`.
    func report(to journal: ConfigurationJournal, file: String, _ octets: [UInt8]) {
        switch place {
        case .octet(let offset):
            let before = octets.prefix(offset)
            let line = before.count { $0 == .lineFeed } + 1
            let start = before.lastIndex(of: .lineFeed).map { $0 + 1 } ?? 0
            let column = before[start...].count { $0 & 0xC0 != 0x80 } + 1
            journal.error(at: SourcePlace(file: file, line: line, column: column), message)
        case .mark(let mark):
            let place = SourcePlace(file: file, line: mark.line, column: mark.column)
            if mayBeTab, Self.hasTab(before: mark, in: octets) {
                journal.error(at: place, "not YAML: a tab cannot indent; use spaces")
            } else {
                journal.error(at: place, message)
            }
        }
    }

    /// Returns true if the line has a tab before the mark.
    private static func hasTab(before mark: YAMLEvents.Mark, in octets: [UInt8]) -> Bool {
        var rest = octets[...]
        for _ in 1..<max(mark.line, 1) {
            guard let end = rest.firstIndex(of: .lineFeed) else { return false }
            rest = rest[(end + 1)...]
        }
        return rest.prefix { $0 != .lineFeed }.prefix(max(0, mark.column)).contains(.tab)
    }
}
