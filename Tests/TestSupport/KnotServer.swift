/// Debian's Knot DNS as an authoritative server on a port of its own.
package final class KnotServer: Sendable {
    package let port: UInt16
    private let process: RunningProcess
    private let folder: TemporaryFolder

    /// Serves `zones`, text by name; for those of `overTCPAlone` UDP answers have only TC.
    package init(_ zones: [String: String], overTCPAlone: Set<String> = []) throws {
        folder = try Unprivileged.folder()
        (port, process) = try FreePort.run { [folder] port in
            try Self.start(zones, overTCPAlone: overTCPAlone, at: port, in: folder)
        }
    }

    private static func start(
        _ zones: [String: String],
        overTCPAlone: Set<String>,
        at port: UInt16,
        in folder: TemporaryFolder
    ) throws -> RunningProcess {
        var configuration = """
            server:
              listen: 127.0.0.1@\(port)
              rundir: "\(folder.path)"
              udp-workers: 1
              tcp-workers: 1
              background-workers: 1
            database:
              storage: "\(folder.path)"
              journal-db-max-size: 16M
              kasp-db-max-size: 16M
              timer-db-max-size: 16M
              catalog-db-max-size: 16M
            log:
              - target: stdout
                any: info
            template:
              - id: default
                storage: "\(folder.path)"
                file: "%s.zone"
                zonefile-sync: -1
                journal-content: none
            zone:

            """
        for (name, text) in zones {
            try folder.write(text, to: "\(name).zone")
            configuration += "  - domain: \(name)\n"
            if overTCPAlone.contains(name) { configuration += "    module: mod-noudp\n" }
        }
        try folder.write(configuration, to: "knot.conf")
        let process = try RunningProcess(
            Unprivileged.command(["knotd", "-c", folder.file("knot.conf")]),
            in: folder.path
        )
        // A server starts without a zone that fails to load.
        let log = try process.waitForOutput { log in
            zones.keys.allSatisfy {
                log.contains("[\($0).] loaded") || log.contains("[\($0).] zone event 'load' failed")
            } && log.contains("server started")
        }
        guard !log.contains(" error: ") else { throw RunningProcess.Impatience(description: log) }
        return process
    }
}
