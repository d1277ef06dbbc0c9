import Foundation
import Glibc

/// Hosts as network namespaces, each with one link to a router that forwards between them.
///
/// They go away, addresses and `/etc/netns` folders with them, when nobody holds them any more.
package final class NetworkNamespaces: Sendable {
    /// Root, and a kernel and tools that can do it.
    package static let arePossible: Bool = {
        guard getuid() == 0 else { return false }
        let name = "zonal-probe-\(getpid())"
        defer { _ = try? Command.run(["ip", "netns", "del", name]) }
        return (try? Command.run(["ip", "netns", "add", name]))?.status == 0
            && (try? Command.run(inside(name, ["true"])))?.status == 0
    }()

    package static let whyNot: String = "needs root, iproute2 and network namespaces"

    private let prefix: String
    private let hosts: [String]

    /// A host: its addresses with their prefix lengths, the first address of each range being the
    /// router's.
    package struct Host: Sendable {
        package var name: String
        package var addresses: [String]
        /// Lines of its `/etc/resolv.conf`.
        package var nameServers: [String]

        package init(_ name: String, _ addresses: [String], nameServers: [String] = []) {
            self.name = name
            self.addresses = addresses
            self.nameServers = nameServers
        }
    }

    package init(_ hosts: [Host]) throws {
        prefix = "zt\(getpid() % 10_000)\(UInt8.random(in: 0...255))"
        self.hosts = hosts.map(\.name)
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
        for host in hosts + ["router"] {
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
        try exec(host.name, "ip", "link", "set", near, "up")
        try exec("router", "ip", "link", "set", far, "up")
        for address in host.addresses {
            let isV6 = address.contains(":")
            let flags = isV6 ? ["nodad"] : []
            let router = Self.router(for: address)
            try exec(host.name, ["ip", "addr", "add", address, "dev", near] + flags)
            let length = address.split(separator: "/").last ?? "24"
            try exec("router", ["ip", "addr", "add", "\(router)/\(length)", "dev", far] + flags)
            let family = isV6 ? "-6" : "-4"
            let known = try Command.run(
                Self.inside(space, ["ip", family, "route", "show", "default"])
            )
            if known.output.isEmpty {
                try exec(host.name, "ip", family, "route", "add", "default", "via", router)
            }
        }
    }

    /// The first address of a range: `10.20.1.1` for `10.20.1.7/24`, `2001:db8:20:1::1` for IPv6.
    private static func router(for address: String) -> String {
        let text = address.split(separator: "/").first ?? ""
        if let colons = text.firstRange(of: "::") { return text[..<colons.upperBound] + "1" }
        return text.split(separator: ".").dropLast().joined(separator: ".") + ".1"
    }

    private static func inside(_ space: String, _ command: [String]) -> [String] {
        ["ip", "netns", "exec", space] + command
    }

    /// A command as it runs on a host, with the host's `/etc/resolv.conf`.
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
