package import DNSWire
import Snapshot

/// The upstreams of `system` in a forwarding rule: the name servers of the host.
package struct SystemResolvers: Equatable, Sendable {
    package var servers: [AddressAndPort]
    /// Link-local addresses without an interface, which cannot be used.
    package var unscoped: [IPAddress] = []

    package var addresses: [IPAddress] { servers.map(\.address) }

    /// The maximum octets read of `resolv.conf`, and the maximum number of servers; the C library
    /// uses three.
    private static let (sizeLimit, serverLimit) = (65_536, 16)

    package init(_ addresses: [IPAddress]) { servers = addresses.map { AddressAndPort($0) } }

    /// Reads the name servers of `/etc/resolv.conf`, in order; empty if the file cannot be read.
    package static func resolvConf(
        path: String = "/etc/resolv.conf",
        loader: any FileLoader = DiskFileLoader()
    ) -> SystemResolvers {
        SystemResolvers(reading: (try? loader.octets(of: path)) ?? [])
    }

    /// Parses the text of a `resolv.conf`.
    ///
    /// Without a usable `nameserver` line the result is empty. The C library would use 127.0.0.1
    /// (resolv.conf(5)). Here, that address could be this server itself, which would be a silent
    /// loop.
    package init(reading octets: [UInt8]) {
        let text = ByteOrderMark.stripped(from: octets).prefix(Self.sizeLimit)
        let lines = text.split { $0 == .lineFeed || $0 == .carriageReturn }
        servers = []
        for server in lines.lazy.compactMap(Self.server) where servers.count < Self.serverLimit {
            if !server.address.isLinkLocalV6 || !server.scope.isNone {
                servers.append(server)
            } else if unscoped.count < Self.serverLimit {
                unscoped.append(server.address)
            }
        }
    }

    package init(reading text: String) { self.init(reading: Array(text.utf8)) }

    /// Parses the address of a `nameserver` line; only a link-local address keeps its interface.
    private static func server(_ line: ArraySlice<UInt8>) -> AddressAndPort? {
        let fields = line.split(maxSplits: 2) { $0 == .space || $0 == .tab }
        guard fields.count > 1, fields[0].elementsEqual("nameserver".utf8),
            let (address, scope) = AddressAndPort.host(
                String(decoding: fields[1], as: UTF8.self)[...]
            )
        else { return nil }
        return AddressAndPort(address, scope: address.isLinkLocalV6 ? scope : .none)
    }

    /// A warning about the skipped servers; nil if there are none.
    package var warning: String? {
        guard let first = unscoped.first else { return nil }
        return
            "/etc/resolv.conf names \(unscoped.shownList) without an interface, which a link-local address requires, so it is skipped; write nameserver \(first)%eth0 there"
    }

    /// Returns the servers except those in `listeners`.
    package func upstreams(besides listeners: [AddressAndPort]) -> [AddressAndPort] {
        let own = OwnAddresses(listeners)
        return servers.filter { own.listener(reachedBy: $0) == nil }
    }
}
