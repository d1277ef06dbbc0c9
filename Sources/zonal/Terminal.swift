import Glibc

/// Standard output and error, line by line.
enum Terminal {
    /// Writes the lines to standard output, each with its end.
    static func print(_ lines: some Sequence<String>) { write(lines, to: STDOUT_FILENO) }

    static func print(_ line: String) { write(CollectionOfOne(line), to: STDOUT_FILENO) }

    /// Writes a line to standard error.
    static func complain(_ line: String) { write(CollectionOfOne(line), to: STDERR_FILENO) }

    /// Writes over the current line of standard error, and stays on it.
    static func overwrite(_ line: String) {
        write(Array("\r\u{1B}[K\(line)".utf8), to: STDERR_FILENO)
    }

    /// True where colour may be used: standard error is a terminal, and NO_COLOR is unset or empty.
    static let hasColour: Bool = {
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
