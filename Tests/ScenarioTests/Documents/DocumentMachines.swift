import Foundation
import TestSupport

/// The machines of the documents' sessions: two VPCs, an office, and the VPC's own resolver.
final class DocumentMachines: Sendable {
    @TaskLocal static var current: DocumentMachines?

    private let network: NetworkNamespaces
    private let upstream: NSDServer

    private static let server = "10.20.0.53"

    init() throws {
        let vpcResolver = "10.20.0.2"
        network = try NetworkNamespaces([
            .init("server", [Self.server], nameServers: [vpcResolver]),
            .init("server-b", ["10.20.16.53"], nameServers: [vpcResolver]),
            .init("vpc", [vpcResolver]),
            .init("client", ["10.20.0.17"], nameServers: [Self.server]),
            .init("client-b", ["10.20.16.17"], nameServers: [Self.server]),
            .init("front", ["10.20.0.54", "10.20.0.55"], nameServers: [Self.server]),
            .init("analytics", ["10.30.0.17"], nameServers: [Self.server]),
            .init("office", ["192.168.0.17"], nameServers: ["192.168.0.53"]),
            .init("forwarder", ["192.168.0.53"], nameServers: [Self.server]),
            .init("stranger", ["203.0.113.9"], nameServers: [Self.server]),
        ])
        upstream = try NSDServer(
            PublicInternet.zones,
            address: vpcResolver,
            port: 53,
            inside: network.on("vpc")
        )
    }

    /// A session that has not begun.
    func session() throws -> Session { try Session(self) }

    /// An empty folder with exports of AWS accounts, and the servers that were started in it.
    final class Session {
        let folder: TemporaryFolder
        private let machines: DocumentMachines
        private var servers: [String: RunningProcess] = [:]

        fileprivate init(_ machines: DocumentMachines) throws {
            self.machines = machines
            folder = try TemporaryFolder()
            try FileManager.default.copyItem(
                atPath: Project.path("Tests/Fixtures/aws"),
                toPath: folder.file("exports")
            )
        }

        /// Runs a command to its end, or a server until it is ready; returns what it prints.
        func output(of command: ConsoleDocument.Command) throws -> [String] {
            let host = command.host.isEmpty ? "server" : command.host
            let text = command.text.replacing(#/^zonal /#, with: Project.zonal + " ")
            if let readiness = command.readiness {
                let log = try start(text, on: host, until: readiness)
                return command.isShown ? log : []
            }
            let shell = machines.network.on(host, ["sh", "-c", "{ \(text); } 2>&1"])
            return Self.lines(of: try TestSupport.Command.run(shell, in: folder.path).output)
        }

        /// A server of one machine takes the place of the one before.
        private func start(
            _ text: String,
            on host: String,
            until readiness: String
        ) throws -> [String] {
            servers[host] = nil
            // The shell stays: dnsmasq closes what tells that a program has ended.
            let server = try RunningProcess(
                machines.network.on(host, ["sh", "-c", "\(text); exit"]),
                in: folder.path
            )
            servers[host] = server
            let log = Self.lines(of: try server.waitForOutput { $0.contains(readiness) })
            let end = log.firstIndex { "\($0)\n".contains(readiness) } ?? log.count - 1
            return Array(log[...end])
        }

        private static func lines(of output: String) -> [String] {
            var lines = output.split(separator: "\n", omittingEmptySubsequences: false)
            if lines.last == "" { lines.removeLast() }
            return lines.map(String.init)
        }
    }
}
