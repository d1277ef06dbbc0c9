import Foundation

/// A running `zonal serve` with a configuration of its own.
package final class ZonalServer: Sendable {
    package let process: RunningProcess
    package let folder: TemporaryFolder
    /// The port on 127.0.0.1, from the kernel.
    package let port: UInt16

    /// Serves `configuration`, with `files` beside it, on a port of its own.
    package init(
        _ configuration: String,
        files: [String: String] = [:],
        listen: [String] = ["127.0.0.1:0"]
    ) throws {
        folder = try TemporaryFolder(files)
        try folder.write(configuration, to: "zonal.yaml")
        process = try RunningProcess(
            [Project.zonal, "serve", "--config", "zonal.yaml"]
                + listen.flatMap { ["--listen", $0] },
            in: folder.path
        )
        let log = try process.waitForOutput { $0.contains("ready") }
        port = try Self.port(in: log)
    }

    /// The sample world of `zones/`, with `upstream` in place of the system's name servers.
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

    /// The port that a log line like `listening on 127.0.0.1:5300 (UDP, TCP)` names first.
    private static func port(in log: String) throws -> UInt16 {
        guard let start = log.firstRange(of: "listening on ")?.upperBound,
            let end = log[start...].firstRange(of: " (")?.lowerBound,
            let port = log[start..<end].split(separator: ":").last.flatMap({ UInt16($0) })
        else { throw RunningProcess.Impatience(description: "no port in: \(log)") }
        return port
    }

    /// A dig from `source`, which says in which VPC the client is.
    package func dig(_ source: String, _ arguments: String...) throws -> Dig {
        try Dig(["-b", source, "-p", String(port), "@127.0.0.1"] + arguments)
    }

    /// Reads the configuration anew; returns what the server says about it.
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
