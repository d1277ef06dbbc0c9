/// The software of a resolver.
package enum ResolverKind: String, CaseIterable, Sendable {
    case unbound = "Unbound"
    case bind = "BIND"
    case knotResolver = "Knot Resolver"
    /// Its UDP answers have only TC.
    case knotResolverOverTCPAlone = "Knot Resolver over TCP alone"
    case dnsmasq
}

/// A resolver of another vendor on its own port, which queries local servers for the given zones.
package final class RecursiveServer: Sendable {
    package let port: UInt16
    private let process: RunningProcess
    private let folder: TemporaryFolder

    /// A zone and its server on 127.0.0.1.
    package struct Zone: Sendable {
        package var name: String
        package var port: UInt16
        /// The DS record of a signed zone.
        package var delegationSigner: String?

        package init(name: String, port: UInt16, delegationSigner: String? = nil) {
            self.name = name
            self.port = port
            self.delegationSigner = delegationSigner
        }
    }

    /// Starts a resolver; a zone inside another zone must come first.
    package init(_ kind: ResolverKind, _ zones: [Zone]) throws {
        folder = try Unprivileged.folder()
        (port, process) = try FreePort.run { [folder] port in
            try Self.start(kind, zones, at: port, in: folder)
        }
    }

    private static func start(
        _ kind: ResolverKind,
        _ zones: [Zone],
        at port: UInt16,
        in folder: TemporaryFolder
    ) throws -> RunningProcess {
        let setup = Setup(folder: folder.path, port: port, zones: zones)
        let command: [String]
        let configuration: String
        let isReady: String
        switch kind {
        case .unbound:
            (command, isReady) = ResolverText.unbound
            configuration = setup.unbound
        case .bind:
            (command, isReady) = ResolverText.bind
            configuration = setup.bind
        case .knotResolver, .knotResolverOverTCPAlone:
            (command, isReady) = ResolverText.knotResolver
            configuration = setup.knotResolver(overTCPAlone: kind == .knotResolverOverTCPAlone)
        case .dnsmasq:
            (command, isReady) = (["dnsmasq", "-k", "-C", "configuration"], "using nameserver")
            configuration = setup.dnsmasq
        }
        try folder.write(configuration, to: "configuration")
        let process = try RunningProcess(Unprivileged.command(command), in: folder.path)
        try process.waitForOutput { $0.contains(isReady) }
        return process
    }
}

/// The same configuration in each resolver's syntax.
private struct Setup {
    var folder: String
    var port: UInt16
    var zones: [RecursiveServer.Zone]

    private func lines(_ line: (RecursiveServer.Zone) -> String) -> String {
        zones.map(line).joined(separator: "\n")
    }

    /// Resolves as if it had found the zones' servers by delegations; does not validate.
    var unbound: String {
        ResolverText.unbound(
            at: port,
            in: folder,
            server: [
                "logfile: \"\"", "verbosity: 1", "num-threads: 1", "module-config: \"iterator\"",
            ],
            lines { "stub-zone:\n  name: \"\($0.name)\"\n  stub-addr: 127.0.0.1@\($0.port)" }
        )
    }

    /// Follows aliases itself; does not validate.
    var bind: String {
        ResolverText.bind(
            at: port,
            in: folder,
            options: ["dnssec-validation no;"],
            lines {
                """
                zone "\($0.name)" {
                  type forward;
                  forward only;
                  forwarders { 127.0.0.1 port \($0.port); };
                };
                """
            }
        )
    }

    /// Validates signed zones and forwards the rest.
    func knotResolver(overTCPAlone: Bool) -> String {
        let rules = lines { zone in
            let action = zone.delegationSigner == nil ? "STUB" : "FORWARD"
            let anchor = zone.delegationSigner.map { "trust_anchors.add([[\($0)]])\n" } ?? ""
            return anchor
                + "policy.add(policy.suffix(policy.\(action)('127.0.0.1@\(zone.port)'), {todname('\(zone.name).')}))"
        }
        return ResolverText.knotResolver(
            at: port,
            in: folder,
            (overTCPAlone ? Self.truncation + "\n" : "") + rules
        )
    }

    /// A rule that never matches over TCP, so that later rules match.
    private static let truncation = """
        policy.add(function(request)
          if not request.qsource.flags.tcp then return policy.TC end
        end)
        """

    /// Forwards the answers of one server, including aliases into other zones.
    ///
    /// It caches nothing, because the contents of its cached answers depend on earlier queries.
    var dnsmasq: String {
        ResolverText.dnsmasq(
            at: port,
            "cache-size=0\n" + lines { "server=/\($0.name)/127.0.0.1#\($0.port)" }
        )
    }
}
