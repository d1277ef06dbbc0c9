/// Free ports, for programs that cannot take over a socket.
package enum FreePort {
    /// Starts a program at `port`, or at one that is free for UDP and TCP; tries another if that
    /// one is taken meanwhile.
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
                // BIND continues without the listener.
                if !isPortTaken(log) { return (port, process) }
            } catch let failure as RunningProcess.Impatience
                where isPortTaken(failure.description)
            {
                log = failure.description
            }
        }
        throw RunningProcess.Impatience(description: log)
    }

    /// The error messages of the servers.
    private static func isPortTaken(_ log: String) -> Bool {
        let log = log.lowercased()
        return log.contains("address already in use") || log.contains("address in use")
    }
}
