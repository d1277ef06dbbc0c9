import ArgumentParser
import Control
import Glibc
import Server

/// Talks to the server that runs with a configuration.
struct ControlClient {
    private let path: String
    /// Where else a server may be found: any that runs will do if no configuration was named.
    private let others: [String]

    init(_ configuration: ConfigurationOption) {
        let path = configuration.path
        let given = ConfigurationLoader().controlPath(path: path)
        let place = ServerConfiguration.control(at: given, of: path).path
        self.path = place
        others =
            configuration.given == nil
            ? ControlPlace.standardSockets().filter { $0 != place } : []
    }

    /// Prints what the server replies; ends the command with 1 if it could not do it, 3 if none runs.
    func run(_ request: ControlRequest) throws {
        switch try reply(to: request) {
        case .done(let text): Terminal.print(Self.lines(of: text))
        case .failed(let text):
            for line in Self.lines(of: text) { Terminal.complain(line) }
            throw ExitCode(1)
        case .error(let reason):
            Terminal.complain("zonal: the server says: \(DiagnosticPrinter.harmless(reason))")
            throw ExitCode(1)
        }
    }

    private static func lines(of text: String) -> [String] {
        var lines = DiagnosticPrinter.harmless(text).split(
            separator: "\n",
            omittingEmptySubsequences: false
        ).map(String.init)
        if lines.last == "" { lines.removeLast() }
        return lines
    }

    private func reply(to request: ControlRequest) throws -> ControlReply {
        let descriptor = try connection()
        defer { close(descriptor) }
        signal(SIGPIPE, SIG_IGN)
        send(Array((request.line + "\n").utf8), over: descriptor)
        guard let reply = ControlReply(reading: receiveAll(from: descriptor)) else {
            Terminal.complain("zonal: the server at \(path) ended without a reply")
            throw ExitCode(3)
        }
        return reply
    }

    /// A connection to the server of the configuration, else to the only one that runs.
    private func connection() throws -> Int32 {
        if let descriptor = Self.connect(to: path) { return descriptor }
        // Sound: the text is copied at once.
        let reason = unsafe String(cString: strerror(errno))
        let running = others.compactMap { path in Self.connect(to: path).map { (path, $0) } }
        for (_, descriptor) in running.dropFirst(running.count == 1 ? 1 : 0) { close(descriptor) }
        if running.count == 1 { return running[0].1 }
        Terminal.complain(
            running.isEmpty
                ? "zonal: no server at \(path): \(reason)"
                : "zonal: \(running.count) servers run; say which by --config"
        )
        throw ExitCode(3)
    }

    private static func connect(to path: String) -> Int32? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        if connect(descriptor, to: path) { return descriptor }
        let code = errno
        close(descriptor)
        errno = code
        return nil
    }

    private static func connect(_ descriptor: Int32, to path: String) -> Bool {
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        let octets = Array(path.utf8)
        let size = MemoryLayout.size(ofValue: name.sun_path)
        guard octets.count < size else { return false }
        // Sound: the path is shorter than the field, which is zero behind it.
        unsafe withUnsafeMutableBytes(of: &name.sun_path) { unsafe $0.copyBytes(from: octets) }
        return unsafe withUnsafePointer(to: &name) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                let size = socklen_t(MemoryLayout<sockaddr_un>.size)
                return unsafe Glibc.connect(descriptor, $0, size) == 0
            }
        }
    }

    private func send(_ octets: [UInt8], over descriptor: Int32) {
        var rest = octets[...]
        while !rest.isEmpty {
            // Sound: the pointer covers `rest`, which does not change during the call.
            let count = unsafe rest.withUnsafeBytes {
                unsafe write(descriptor, $0.baseAddress, $0.count)
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    private func receiveAll(from descriptor: Int32) -> String {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            // Sound: the kernel writes into the buffer, up to its size.
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe read(descriptor, $0.baseAddress, $0.count)
            }
            guard count > 0 else { return String(decoding: all, as: UTF8.self) }
            all += buffer[..<count]
        }
    }
}
