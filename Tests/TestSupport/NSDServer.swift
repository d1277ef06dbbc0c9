import Foundation
import Glibc

/// Debian's NSD as the public DNS, with zones, on a port of its own.
package final class NSDServer: Sendable {
    package let port: UInt16
    private let process: RunningProcess
    private let folder: TemporaryFolder

    /// `127.0.0.1:PORT`, as a forwarding rule names it.
    package var endpoint: String { "127.0.0.1:\(port)" }

    /// Serves `zones`, text by name, at `address`; `wrapper` is a command that runs it elsewhere.
    package init(
        _ zones: [String: String],
        address: String = "127.0.0.1",
        port: UInt16? = nil,
        inside wrapper: [String] = []
    ) throws {
        folder = try TemporaryFolder()
        (self.port, process) = try FreePort.run(at: port) { [folder] port in
            try Self.start(zones, at: "\(address)@\(port)", in: folder, inside: wrapper)
        }
    }

    private static func start(
        _ zones: [String: String],
        at interface: String,
        in folder: TemporaryFolder,
        inside wrapper: [String]
    ) throws -> RunningProcess {
        var configuration = """
            server:
              ip-address: \(interface)
              server-count: 1
              rrl-ratelimit: 0
              username: ""
              chroot: ""
              zonesdir: "\(folder.path)"
              database: ""
              pidfile: ""
              xfrdfile: "\(folder.file("xfrd.state"))"
              zonelistfile: "\(folder.file("zone.list"))"
              verbosity: 1
            remote-control:
              control-enable: no

            """
        for (name, text) in zones {
            let file = name == "." ? "root.zone" : "\(name).zone"
            try folder.write(text, to: file)
            configuration += "zone:\n  name: \"\(name)\"\n  zonefile: \"\(file)\"\n"
        }
        try folder.write(configuration, to: "nsd.conf")
        let process = try RunningProcess(
            wrapper + ["nsd", "-d", "-c", folder.file("nsd.conf")],
            in: folder.path
        )
        let log = try process.waitForOutput { $0.contains("nsd started") }
        // A server starts without a zone that fails to load.
        guard !log.contains(" error: ") else { throw RunningProcess.Impatience(description: log) }
        return process
    }
}
