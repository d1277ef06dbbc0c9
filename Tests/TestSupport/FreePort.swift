/// Ports that nobody uses, for programs that cannot be handed a socket.
package enum FreePort {
    /// Starts a program at `port`, or else at one that was free for both UDP and TCP a moment ago;
    /// if somebody takes that one first, another is tried.
    package static func run(
        at port: UInt16? = nil,
        _ start: (UInt16) throws -> RunningProcess
    ) throws -> (port: UInt16, process: RunningProcess) {
        if let port { return (port, try start(port)) }
        var log = ""
        for _ in 0..<3 {
            let port = try BoundSocket.pair().stream.port
            do {
                let process = try start(port)
                log = process.log
                // BIND goes on without a listener.
                if !isPortTaken(log) { return (port, process) }
            } catch let failure as RunningProcess.Impatience
                where isPortTaken(failure.description)
            {
                log = failure.description
            }
        }
        throw RunningProcess.Impatience(description: log)
    }

    /// Each server in its own words.
    private static func isPortTaken(_ log: String) -> Bool {
        let log = log.lowercased()
        return log.contains("address already in use") || log.contains("address in use")
    }
}
