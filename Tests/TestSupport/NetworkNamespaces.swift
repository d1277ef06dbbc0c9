import Foundation
import Glibc

/// Hosts as network namespaces, each with a link to a router that forwards between them.
///
/// They are deleted, with their addresses and `/etc/netns` folders, when they are no longer
/// referenced.
package final class NetworkNamespaces: Sendable {
    /// True with root, and with a kernel and tools that support it.
    package static let arePossible: Bool = {
        guard getuid() == 0 else { return false }
        let name = "zonal-probe-\(getpid())"
        defer { _ = try? Command.run(["ip", "netns", "del", name]) }
        return (try? Command.run(["ip", "netns", "add", name]))?.status == 0
            && (try? Command.run(inside(name, ["true"])))?.status == 0
    }()

    package static let whyNot: String = "needs root, iproute2 and network namespaces"

    private let prefix: String
    private let hosts: [Host]

    /// A host: its addresses, and the name servers of its `/etc/resolv.conf`.
    package struct Host: Sendable {
        package var name: String
        package var addresses: [String]
        package var nameServers: [String]

        package init(_ name: String, _ addresses: [String], nameServers: [String] = []) {
            self.name = name
            self.addresses = addresses
            self.nameServers = nameServers
        }
    }

    package init(_ hosts: [Host]) throws {
        prefix = "zt\(getpid() % 10_000)\(UInt8.random(in: 0...255))"
        self.hosts = hosts
        try ip("netns", "add", "\(prefix)-router")
        try exec(
            "router",
            "sysctl",
            "-qw",
            "net.ipv4.ip_forward=1",
            "net.ipv6.conf.all.forwarding=1"
        )
        for (number, host) in hosts.enumerated() { try add(host, number: number) }
    }

    deinit {
        for host in hosts.map(\.name) + ["router"] {
            _ = try? Command.run(["ip", "netns", "del", "\(prefix)-\(host)"])
            try? FileManager.default.removeItem(atPath: "/etc/netns/\(prefix)-\(host)")
        }
    }

    private func add(_ host: Host, number: Int) throws {
        let space = "\(prefix)-\(host.name)"
        let (near, far) = ("\(prefix)h\(number)", "\(prefix)r\(number)")
        try ip("netns", "add", space)
        if !host.nameServers.isEmpty {
            let folder = URL(filePath: "/etc/netns/\(space)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let lines = host.nameServers.map { "nameserver \($0)\n" }.joined()
            try Data(lines.utf8).write(to: folder.appending(path: "resolv.conf"))
        }
        try ip(
            "link",
            "add",
            near,
            "netns",
            space,
            "type",
            "veth",
            "peer",
            "name",
            far,
            "netns",
            "\(prefix)-router"
        )
        try exec(host.name, "ip", "link", "set", "lo", "up")
        try exec("router", "ip", "link", "set", far, "up")
        try exec("router", "ip", "addr", "add", "\(Self.gateway)/32", "dev", far)
        try exec("router", "ip", "addr", "add", "\(Self.gatewayV6)/64", "dev", far, "nodad")
        try connect(host, number: number)
        for address in host.addresses {
            let family = address.contains(":") ? "-6" : "-4"
            try exec("router", "ip", family, "route", "add", address, "dev", far)
        }
    }

    /// Sets the host's link up, without addresses and routes.
    private func connect(_ host: Host, number: Int) throws {
        let near = "\(prefix)h\(number)"
        try exec(host.name, "ip", "link", "set", near, "up")
        for address in host.addresses {
            let isV6 = address.contains(":")
            let (length, flags) = isV6 ? ("128", ["nodad"]) : ("32", [])
            try exec(host.name, ["ip", "addr", "add", "\(address)/\(length)", "dev", near] + flags)
        }
        let route = ["route", "add", "default", "via"]
        if host.addresses.contains(where: { !$0.contains(":") }) {
            try exec(host.name, ["ip"] + route + [Self.gateway, "dev", near, "onlink"])
        }
        if host.addresses.contains(where: { $0.contains(":") }) {
            try exec(host.name, ["ip", "-6"] + route + [Self.gatewayV6, "dev", near])
        }
    }

    /// Takes the host's link down, so that nothing reaches it, or up again.
    package func setLink(of name: String, isUp: Bool) throws {
        guard let number = hosts.firstIndex(where: { $0.name == name }) else { return }
        if isUp { return try connect(hosts[number], number: number) }
        let near = "\(prefix)h\(number)"
        try exec(name, "ip", "addr", "flush", "dev", near)
        try exec(name, "ip", "link", "set", near, "down")
    }

    /// The router's address on every link.
    private static let gateway = "169.254.0.1"
    private static let gatewayV6 = "fe80::1"

    private static func inside(_ space: String, _ command: [String]) -> [String] {
        ["ip", "netns", "exec", space] + command
    }

    /// A command that runs on a host, with the host's `/etc/resolv.conf`.
    package func on(_ host: String, _ command: [String] = []) -> [String] {
        Self.inside("\(prefix)-\(host)", command)
    }

    private func ip(_ arguments: String...) throws { try must(["ip"] + arguments) }

    private func exec(_ host: String, _ command: String...) throws { try exec(host, command) }

    private func exec(_ host: String, _ command: [String]) throws { try must(on(host, command)) }

    private func must(_ command: [String]) throws {
        let result = try Command.run(command)
        guard result.status == 0 else {
            let text = command.joined(separator: " ")
            throw RunningProcess.Impatience(description: "\(text): \(result.complaints)")
        }
    }
}
