import Control
import Glibc

/// Writes lines to standard output and standard error.
///
/// All output goes through this type, except the server's log (`LogQueue`). Text from files, names
/// and the network is written as `HarmlessText`; only this type writes terminal control sequences.
/// A line feed inside a line is escaped, so that input cannot forge a line.
enum Terminal {
    /// Writes lines to standard output; each ends with a line feed.
    static func print(_ lines: some Sequence<String>) {
        write(lines.lazy.map { HarmlessText.line($0) }, to: STDOUT_FILENO)
    }

    static func print(_ line: String) { print(CollectionOfOne(line)) }

    /// Writes lines whose fields are separated by tabs.
    static func printTabbed(_ lines: some Sequence<String>) {
        write(lines.lazy.map { HarmlessText.line($0, keepingTabs: true) }, to: STDOUT_FILENO)
    }

    /// Writes a line to standard error.
    static func printError(_ line: String) { printError([.plain(line)]) }

    /// Writes a line to standard error, with parts in colour if colour is enabled.
    static func printError(_ parts: [Part]) {
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

    /// Overwrites the current line of standard error; writes no line feed.
    static func overwrite(_ line: String) {
        write(Array("\r\u{1B}[K\(HarmlessText.line(line))".utf8), to: STDERR_FILENO)
    }

    /// True if colour may be used: standard error is a terminal, and NO_COLOR is unset or empty.
    private static let hasColour: Bool = {
        // Sound: the name is a literal, and the result is read immediately.
        let forbidden = unsafe getenv("NO_COLOR").map { unsafe $0.pointee != 0 } ?? false
        return !forbidden && isatty(STDERR_FILENO) == 1
    }()

    /// Writes lines to a descriptor.
    ///
    /// Stops silently if the reader closed the pipe (`zonal az | head`).
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
