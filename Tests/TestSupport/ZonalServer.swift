import Foundation

/// A running `zonal serve` with a configuration of its own.
package final class ZonalServer: Sendable {
    package let process: RunningProcess
    package let folder: TemporaryFolder
    /// The kernel-assigned ports of the listeners, in their order.
    package let ports: [UInt16]

    package var port: UInt16 { ports[0] }

    /// Serves `configuration`, with `files` beside it, on a free port or, if `listen` is empty, at
    /// the listeners of the configuration.
    package convenience init(
        _ configuration: String,
        files: [String: String] = [:],
        listen: [String] = ["127.0.0.1:0"],
        inside wrapper: [String] = []
    ) throws {
        try self.init(
            configuration,
            beside: TemporaryFolder(files),
            listen: listen,
            inside: wrapper
        )
    }

    /// The same in a folder that already contains the files; `wrapper` is a command that runs the
    /// rest of its line.
    package init(
        _ configuration: String,
        beside folder: TemporaryFolder,
        listen: [String] = ["127.0.0.1:0"],
        inside wrapper: [String] = []
    ) throws {
        self.folder = folder
        // Beside the configuration, so that it is deleted with the folder.
        let control = configuration.contains("control:") ? "" : "\ncontrol: control\n"
        try folder.write(configuration + control, to: "zonal.yaml")
        process = try RunningProcess(
            wrapper + [Project.zonal, "serve", "--config", "zonal.yaml"]
                + listen.flatMap { ["--listen", $0] },
            in: folder.path
        )
        let log = try process.waitForOutput { $0.contains("ready") }
        ports = try Self.ports(in: log)
    }

    /// The end of a server that cannot serve the configuration in `folder`.
    package static func attempt(
        in folder: TemporaryFolder,
        listen: String = "127.0.0.1:0",
        inside wrapper: [String] = []
    ) throws -> Command.Result {
        try Command.run(
            wrapper + [Project.zonal, "serve", "--config", "zonal.yaml", "--listen", listen],
            in: folder.path
        )
    }

    /// Serves one VPC, 127.20.0.0/16, whose zone internal.example has `records`; `settings` are
    /// further keys.
    package static func withVPC(
        _ settings: String,
        records: String = "db A 127.20.1.1\n",
        listen: [String] = ["127.0.0.1:0"]
    ) throws -> ZonalServer {
        try ZonalServer(
            """
            \(settings)
            accounts: [{ id: "111122223333", availability-zones: { us-east-1a: use1-az4 } }]
            vpcs: [{ id: vpc-0a1, account: "111122223333", ranges: [127.20.0.0/16] }]
            zones: [{ file: internal.example.zone, vpcs: [vpc-0a1] }]
            """,
            files: ["internal.example.zone": "$TTL 60\n@ SOA ns h 1 1h 15m 1w 60\n" + records],
            listen: listen
        )
    }

    /// The sample world of `zones/`, with `upstream` instead of the system's name servers.
    package static func sample(
        upstream: String,
        listen: [String] = ["127.0.0.1:0"]
    ) throws -> ZonalServer {
        let files = try FileManager.default.contentsOfDirectory(atPath: Project.path("zones"))
        var texts: [String: String] = [:]
        for name in files where name.hasSuffix(".zone") {
            texts[name] = try String(contentsOfFile: Project.path("zones/" + name), encoding: .utf8)
        }
        let configuration = try String(
            contentsOfFile: Project.path("zones/zonal.yaml"),
            encoding: .utf8
        )
        return try ZonalServer(
            configuration.replacing("to: [system]", with: "to: [\"\(upstream)\"]"),
            files: texts,
            listen: listen
        )
    }

    /// The ports in log lines such as `listening on 127.0.0.1:5300 (UDP, TCP)`.
    private static func ports(in log: String) throws -> [UInt16] {
        let ports = log.split(separator: "\n").compactMap { line -> UInt16? in
            guard let start = line.firstRange(of: "listening on ")?.upperBound,
                let end = line[start...].firstRange(of: " (")?.lowerBound
            else { return nil }
            return line[start..<end].split(separator: ":").last.flatMap { UInt16($0) }
        }
        guard !ports.isEmpty else {
            throw RunningProcess.Impatience(description: "no port in: \(log)")
        }
        return ports
    }

    /// A dig from `source`, which determines the client's VPC.
    package func dig(_ source: String, _ arguments: String...) throws -> Dig {
        try Dig(["-b", source, "-p", String(port), "@127.0.0.1"] + arguments)
    }

    /// Reloads the configuration; returns the server's message about it.
    package func reload() throws -> String {
        let before = process.log.count
        process.send(signal: SIGHUP)
        let log = try process.waitForOutput { log in
            let news = log.dropFirst(before)
            return news.contains("reloaded") || news.contains("reload failed")
        }
        return String(log.dropFirst(before))
    }
}
