import Foundation
import Glibc

/// Debian's NSD as the public DNS: serves zones on a port of its own.
package final class NSDServer: Sendable {
    package let port: UInt16
    private let process: RunningProcess
    private let folder: TemporaryFolder

    /// `127.0.0.1:PORT`, as a forwarding rule names it.
    package var endpoint: String { "127.0.0.1:\(port)" }

    /// Serves `zones`, text by name, at `address`; `wrapper` runs it somewhere else.
    package init(
        _ zones: [String: String],
        address: String = "127.0.0.1",
        port: UInt16? = nil,
        inside wrapper: [String] = []
    ) throws {
        self.port = try port ?? FreePort.find()
        folder = try TemporaryFolder()
        var configuration = """
            server:
              ip-address: \(address)@\(self.port)
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
        process = try RunningProcess(
            wrapper + ["nsd", "-d", "-c", folder.file("nsd.conf")],
            in: folder.path
        )
        let log = try process.waitForOutput { $0.contains("nsd started") }
        // A zone that does not load leaves a server without it.
        guard !log.contains(" error: ") else { throw RunningProcess.Impatience(description: log) }
    }
}

/// Ports that nobody uses.
package enum FreePort {
    /// A port that the kernel gave away for both UDP and TCP a moment ago.
    package static func find() throws -> UInt16 {
        for _ in 0..<50 {
            let stream = try BoundSocket(kind: .stream)
            if (try? BoundSocket(kind: .datagram, port: stream.port)) != nil { return stream.port }
        }
        throw RunningProcess.Impatience(description: "no port is free")
    }
}
