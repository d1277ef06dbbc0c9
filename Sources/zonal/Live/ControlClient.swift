import ArgumentParser
import Control
import Glibc
import Server

/// Sends a command to the running server of a configuration.
struct ControlClient {
    /// The socket that the configuration names, then the default sockets of this configuration.
    private let places: [ControlPlace]
    /// The default sockets of other configurations; used only if no configuration was named.
    private let others: [ControlPlace]

    init(_ configuration: ConfigurationOption) {
        let path = configuration.path
        let given = ConfigurationLoader().controlPath(path: path)
        let named = given.map { ControlPlace(path: $0, isRequired: true) }
        let standard = [
            ControlPlace.standard(forConfiguration: path), .former(forConfiguration: path),
        ]
        let places = [named].compactMap { $0 } + standard
        self.places = places
        others =
            configuration.given == nil
            ? ControlPlace.standardSockets().filter { other in
                !places.contains { $0.path == other.path }
            } : []
    }

    /// Sends the request and prints the reply.
    ///
    /// Exits with 1 if the request failed, 3 if no server runs.
    func run(_ request: ControlRequest) throws {
        switch try reply(to: request) {
        case .done(let text): Terminal.print(Self.lines(of: text))
        case .failed(let text):
            for line in Self.lines(of: text) { Terminal.printError(line) }
            throw ExitCode(1)
        case .error(let reason):
            Terminal.printError("zonal: the server replied: \(reason)")
            throw ExitCode(1)
        }
    }

    private static func lines(of text: String) -> [String] {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        return lines
    }

    private func reply(to request: ControlRequest) throws -> ControlReply {
        let descriptor = try connection()
        defer { close(descriptor) }
        signal(SIGPIPE, SIG_IGN)
        send(Array((request.line + "\n").utf8), over: descriptor)
        guard let reply = ControlReply(reading: receiveAll(from: descriptor)) else {
            throw Self.failure(
                "the server at \(places[0].path) closed the connection without a reply"
            )
        }
        return reply
    }

    private static func failure(_ reason: String) -> ExitCode {
        Terminal.printError("zonal: \(reason)")
        return ExitCode(3)
    }

    // MARK: Finding the server

    /// The result of a connection attempt.
    private enum Attempt {
        case connected(Int32)
        /// No server answers at this socket.
        case absent(reason: String)
        /// The folder, the link or the peer of the socket failed a trust check.
        case distrusted(reason: String)
    }

    /// Connects to the server of the configuration, else to the only running server.
    private func connection() throws -> Int32 {
        var reasons: [String] = []
        for place in places {
            switch Self.connect(to: place) {
            case .connected(let descriptor): return descriptor
            case .distrusted(let reason):
                // The first place failed a trust check; do not try the next ones.
                if reasons.isEmpty { throw Self.failure(reason) }
                reasons.append(reason)
            case .absent(let reason): reasons.append(reason)
            }
        }
        let running = others.compactMap { place in
            if case .connected(let descriptor) = Self.connect(to: place) { return descriptor }
            return nil
        }
        if running.count == 1 { return running[0] }
        for descriptor in running { close(descriptor) }
        throw Self.failure(
            running.isEmpty
                ? "no server at \(places[0].path): \(reasons[0])"
                : "\(running.count) servers are running; choose one with --config"
        )
    }

    private static func connect(to place: ControlPlace) -> Attempt {
        let trust = ControlTrust(place)
        if let fault = trust.folderFault ?? trust.linkFault {
            return .distrusted(reason: fault)
        }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0, connect(descriptor, to: place.path) else {
            // Sound: the text is copied immediately.
            let reason = unsafe String(cString: strerror(errno))
            close(descriptor)
            return .absent(reason: reason)
        }
        if let fault = trust.peerFault(of: descriptor) {
            close(descriptor)
            return .distrusted(reason: fault)
        }
        return .connected(descriptor)
    }

    /// How long to wait while the server's connection queue is full.
    private static let patience = timeval(tv_sec: 5, tv_usec: 0)

    private static func connect(_ descriptor: Int32, to path: String) -> Bool {
        var patience = Self.patience
        // Sound: the value outlives the call, and its size is passed.
        _ = unsafe setsockopt(
            descriptor,
            SOL_SOCKET,
            SO_SNDTIMEO,
            &patience,
            socklen_t(MemoryLayout<timeval>.size)
        )
        return UnixSocketName.connect(descriptor, to: Array(path.utf8)) == 0
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
            // Sound: the kernel writes at most the buffer's size.
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe read(descriptor, $0.baseAddress, $0.count)
            }
            guard count > 0 else { return String(decoding: all, as: UTF8.self) }
            all += buffer[..<count]
        }
    }
}
