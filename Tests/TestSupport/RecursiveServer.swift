/// Whose resolver is asked.
package enum ResolverKind: String, CaseIterable, Sendable {
    case unbound = "Unbound"
    case bind = "BIND"
    case knotResolver = "Knot Resolver"
    /// Answers over UDP with TC and nothing else.
    case knotResolverOverTCPAlone = "Knot Resolver over TCP alone"
    case dnsmasq
}

/// A resolver of somebody else's on a port of its own, which asks local servers for the zones given.
package final class RecursiveServer: Sendable {
    package let port: UInt16
    private let process: RunningProcess
    private let folder: TemporaryFolder

    /// A zone, and who serves it on 127.0.0.1.
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

    /// Starts a resolver; of zones one of which lies in the other, the inner one comes first.
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
            (command, isReady) = (["unbound", "-d", "-c", "configuration"], "start of service")
            configuration = setup.unbound
        case .bind:
            (command, isReady) = (["named", "-g", "-n", "1", "-c", "configuration"], " running\n")
            configuration = setup.bind
        case .knotResolver, .knotResolverOverTCPAlone:
            (command, isReady) = (["kresd", "-n", "-c", "configuration", "."], "ready\n")
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

/// One resolver's configuration in each one's own words.
private struct Setup {
    var folder: String
    var port: UInt16
    var zones: [RecursiveServer.Zone]

    private func lines(_ line: (RecursiveServer.Zone) -> String) -> String {
        zones.map(line).joined(separator: "\n")
    }

    /// Resolves as if the zones' servers were found by delegations; validates nothing.
    var unbound: String {
        """
        server:
          interface: 127.0.0.1@\(port)
          directory: "\(folder)"
          chroot: ""
          username: ""
          pidfile: ""
          use-syslog: no
          logfile: ""
          verbosity: 1
          num-threads: 1
          module-config: "iterator"
          do-not-query-localhost: no
        remote-control:
          control-enable: no
        \(lines { "stub-zone:\n  name: \"\($0.name)\"\n  stub-addr: 127.0.0.1@\($0.port)" })
        """
    }

    /// Follows aliases itself; validates nothing.
    var bind: String {
        """
        options {
          directory "\(folder)";
          pid-file none;
          session-keyfile none;
          listen-on port \(port) { 127.0.0.1; };
          listen-on-v6 { none; };
          dnssec-validation no;
          empty-zones-enable no;
        };
        controls { };
        \(lines {
            """
            zone "\($0.name)" {
              type forward;
              forward only;
              forwarders { 127.0.0.1 port \($0.port); };
            };
            """
        })
        """
    }

    /// Validates what is signed, and hands on the rest.
    func knotResolver(overTCPAlone: Bool) -> String {
        """
        net.ipv6 = false
        net.listen('127.0.0.1', \(port), { kind = 'dns' })
        cache.open(32 * MB, 'lmdb://\(folder)')
        trust_anchors.remove('.')
        modules.unload('ta_update')
        modules.unload('ta_signal_query')
        modules.unload('priming')
        modules.unload('detect_time_skew')
        \(overTCPAlone ? Self.truncation : "")
        \(lines { zone in
            let action = zone.delegationSigner == nil ? "STUB" : "FORWARD"
            let anchor = zone.delegationSigner.map { "trust_anchors.add([[\($0)]])\n" } ?? ""
            return anchor + """
            policy.add(policy.suffix(policy.\(action)('127.0.0.1@\(zone.port)'), {todname('\(zone.name).')}))
            """
        })
        io.stdout:write('ready\\n')
        io.stdout:flush()
        """
    }

    /// A rule that matches nothing over TCP, so that those behind it do.
    private static let truncation = """
        policy.add(function(request)
          if not request.qsource.flags.tcp then return policy.TC end
        end)
        """

    /// Hands on what one server says, aliases into other zones included.
    ///
    /// Nothing is cached, since what it gives of a cached answer depends on what was asked before.
    var dnsmasq: String {
        """
        port=\(port)
        listen-address=127.0.0.1
        bind-interfaces
        no-resolv
        no-hosts
        user=
        group=
        pid-file=
        log-facility=-
        cache-size=0
        \(lines { "server=/\($0.name)/127.0.0.1#\($0.port)" })
        """
    }
}
