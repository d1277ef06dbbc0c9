import Control
import Glibc

/// Standard output and error, line by line: the one way by which text leaves the program, but for the
/// server's log, which is a queue (`LogQueue`).
///
/// Whatever a line holds of files, names and the network stands in it as `HarmlessText`; what steers a
/// terminal is made here alone. A line feed inside a line is escaped, so that nobody forges a line.
enum Terminal {
    /// Writes the lines to standard output, each with its end.
    static func print(_ lines: some Sequence<String>) {
        write(lines.lazy.map { HarmlessText.line($0) }, to: STDOUT_FILENO)
    }

    static func print(_ line: String) { print(CollectionOfOne(line)) }

    /// Writes lines whose fields tabs separate.
    static func printTabbed(_ lines: some Sequence<String>) {
        write(lines.lazy.map { HarmlessText.line($0, keepingTabs: true) }, to: STDOUT_FILENO)
    }

    /// Writes a line to standard error.
    static func complain(_ line: String) { complain([.plain(line)]) }

    /// Writes a line to standard error, parts of it in colour where there is any.
    static func complain(_ parts: [Part]) {
        write(CollectionOfOne(parts.map(\.text).joined()), to: STDERR_FILENO)
    }

    /// A part of a line.
    enum Part {
        case plain(String)
        case red(String)
        case yellow(String)

        fileprivate var text: String {
            switch self {
            case .plain(let text): HarmlessText.line(text)
            case .red(let text): Self.coloured(text, "31")
            case .yellow(let text): Self.coloured(text, "33")
            }
        }

        private static func coloured(_ text: String, _ colour: String) -> String {
            let text = HarmlessText.line(text)
            return Terminal.hasColour ? "\u{1B}[1;\(colour)m\(text)\u{1B}[0m" : text
        }
    }

    /// Writes over the current line of standard error, and stays on it.
    static func overwrite(_ line: String) {
        write(Array("\r\u{1B}[K\(HarmlessText.line(line))".utf8), to: STDERR_FILENO)
    }

    /// True where colour may be used: standard error is a terminal, and NO_COLOR is unset or empty.
    private static let hasColour: Bool = {
        // Sound: the name is a literal, and the text found is read at once.
        let forbidden = unsafe getenv("NO_COLOR").map { unsafe $0.pointee != 0 } ?? false
        return !forbidden && isatty(STDERR_FILENO) == 1
    }()

    /// A reader that went away (`zonal az | head`) is no error: the rest is not written.
    private static func write(_ lines: some Sequence<String>, to descriptor: Int32) {
        var octets: [UInt8] = []
        for line in lines {
            octets += line.utf8
            octets.append(UInt8(ascii: "\n"))
        }
        write(octets, to: descriptor)
    }

    private static func write(_ octets: [UInt8], to descriptor: Int32) {
        var rest = octets[...]
        while !rest.isEmpty {
            // Sound: the pointer covers `rest`, which does not change during the call.
            let written = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return }
            rest = rest.dropFirst(written)
        }
    }
}
