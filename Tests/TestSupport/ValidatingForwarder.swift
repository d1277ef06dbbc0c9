import Foundation

/// A resolver of another vendor that forwards everything to one server and validates the answers.
package enum ValidatorKind: String, CaseIterable, Sendable {
    case unbound = "Unbound"
    case bind = "BIND"
    case knotResolver = "Knot Resolver"
    case powerDNS = "PowerDNS Recursor"
    case dnsmasq
    case systemdResolved = "systemd-resolved"

    /// The reason why the resolver cannot run here; nil if it can.
    package var obstacle: String? {
        switch self {
        case .systemdResolved: return SystemdResolved.obstacle
        case .powerDNS: return Self.exists("/usr/sbin/pdns_recursor") ? nil : "needs pdns-recursor"
        case .unbound, .bind, .knotResolver, .dnsmasq: return nil
        }
    }

    private static func exists(_ path: String) -> Bool {
        FileManager.default.isExecutableFile(atPath: path)
    }
}

/// It needs root, has a user of its own, and resolves nothing without a network.
private enum SystemdResolved {
    static let path = "/lib/systemd/systemd-resolved"

    static var obstacle: String? {
        guard NetworkNamespaces.arePossible else { return NetworkNamespaces.whyNot }
        guard FileManager.default.isExecutableFile(atPath: path) else {
            // Its Debian package makes it the machine's resolver, so `make test` does not install
            // it.
            return "\(path) is not there"
        }
        guard (try? Command.run(["id", "systemd-resolve"]))?.status == 0 else {
            return "there is no user systemd-resolve"
        }
        let links = (try? Command.run(["ip", "-brief", "link", "show", "up"]))?.lines ?? []
        return links.contains { !$0.hasPrefix("lo ") } ? nil : "the machine has no network"
    }
}

/// Such a resolver on its own port, with one trust anchor for the root.
package final class ValidatingForwarder: Sendable {
    package let port: UInt16
    private let process: RunningProcess
    private let folder: TemporaryFolder

    /// `anchor` is the DS record of the root: `. IN DS 12345 13 2 …`.
    package init(_ kind: ValidatorKind, to upstream: UInt16, anchor: String) throws {
        folder = try Unprivileged.folder()
        let digest = anchor.split(separator: " ").drop { $0 != "DS" }.dropFirst()
        (port, process) = try FreePort.run { [folder] port in
            let setup = Setup(
                folder: folder.path,
                port: port,
                upstream: upstream,
                anchor: digest.joined(separator: " ")
            )
            return try Self.start(kind, setup, in: folder)
        }
    }

    private static func start(
        _ kind: ValidatorKind,
        _ setup: Setup,
        in folder: TemporaryFolder
    ) throws -> RunningProcess {
        let command: [String]
        let isReady: String
        switch kind {
        case .unbound:
            try folder.write(setup.unbound, to: "configuration")
            (command, isReady) = ResolverText.unbound
        case .bind:
            try folder.write(setup.bind, to: "configuration")
            (command, isReady) = ResolverText.bind
        case .knotResolver:
            try folder.write(setup.knotResolver, to: "configuration")
            (command, isReady) = ResolverText.knotResolver
        case .powerDNS:
            try folder.write(setup.powerDNS, to: "recursor.conf")
            try folder.write("clearDS(\".\") addDS(\".\", \"\(setup.anchor)\")\n", to: "anchors")
            (command, isReady) = (
                ["pdns_recursor", "--config-dir=\(folder.path)"], "Listening for queries"
            )
        case .dnsmasq:
            try folder.write(setup.dnsmasq, to: "configuration")
            // It closes all inherited files. Foundation then assumes that it has ended and waits
            // for that, while the ends of other programs go unnoticed. A shell keeps the files
            // open.
            let program = ["sh", "-c", "dnsmasq -k -C configuration; exit"]
            (command, isReady) = (program, "using nameserver")
        case .systemdResolved:
            try folder.write(setup.systemdResolved, to: "resolved.conf")
            try folder.write(". IN DS \(setup.anchor)\n", to: "root.positive")
            try folder.write(setup.systemdScript, to: "run.sh")
            let process = try RunningProcess(
                ["unshare", "-m", "sh", folder.file("run.sh")],
                in: folder.path
            )
            try process.waitForOutput { $0.contains("Using system hostname") }
            return process
        }
        let process = try RunningProcess(Unprivileged.command(command), in: folder.path)
        try process.waitForOutput { $0.contains(isReady) }
        return process
    }
}

/// The same configuration in each resolver's syntax.
private struct Setup {
    var folder: String
    var port: UInt16
    var upstream: UInt16
    /// Tag, algorithm, digest type and digest.
    var anchor: String

    var unbound: String {
        ResolverText.unbound(
            at: port,
            in: folder,
            server: ["verbosity: 1", "trust-anchor: \". DS \(anchor)\""],
            """
            forward-zone:
              name: "."
              forward-addr: 127.0.0.1@\(upstream)
            """
        )
    }

    var bind: String {
        let parts = anchor.split(separator: " ")
        return ResolverText.bind(
            at: port,
            in: folder,
            options: [
                "dnssec-validation yes;", "forward only;",
                "forwarders { 127.0.0.1 port \(upstream); };",
            ],
            "trust-anchors { . static-ds \(parts[0]) \(parts[1]) \(parts[2]) \"\(parts[3])\"; };"
        )
    }

    var knotResolver: String {
        ResolverText.knotResolver(
            at: port,
            in: folder,
            """
            trust_anchors.add([[. IN DS \(anchor)]])
            policy.add(policy.all(policy.FORWARD('127.0.0.1@\(upstream)')))
            """
        )
    }

    var powerDNS: String {
        """
        local-address=127.0.0.1
        local-port=\(port)
        socket-dir=\(folder)
        daemon=no
        dnssec=validate
        forward-zones-recurse=.=127.0.0.1:\(upstream)
        lua-config-file=\(folder)/anchors
        security-poll-suffix=
        threads=1
        """
    }

    /// It treats names as unsigned that its configuration lists as such.
    var dnsmasq: String {
        ResolverText.dnsmasq(
            at: port,
            """
            dnssec
            dnssec-check-unsigned
            trust-anchor=.,\(anchor.replacing(" ", with: ","))
            server=127.0.0.1#\(upstream)
            """
        )
    }

    var systemdResolved: String {
        """
        [Resolve]
        DNS=127.0.0.1:\(upstream)
        Domains=~.
        DNSSEC=yes
        DNSStubListener=no
        DNSStubListenerExtra=udp:127.0.0.1:\(port)
        Cache=no
        LLMNR=no
        MulticastDNS=no
        """
    }

    /// A mount namespace puts its files at their usual paths.
    var systemdScript: String {
        """
        set -e
        mount -t tmpfs tmpfs /run
        mkdir -p /run/systemd/resolve /run/systemd/system /run/dnssec-trust-anchors.d /run/dbus
        mkdir -p /tmp/etc && mount -t tmpfs tmpfs /etc/systemd
        cp "\(folder)/resolved.conf" /etc/systemd/resolved.conf
        mkdir -p /etc/dnssec-trust-anchors.d
        cp "\(folder)/root.positive" /run/dnssec-trust-anchors.d/root.positive
        exec env SYSTEMD_LOG_LEVEL=info SYSTEMD_LOG_TARGET=console \(SystemdResolved.path)
        """
    }
}
