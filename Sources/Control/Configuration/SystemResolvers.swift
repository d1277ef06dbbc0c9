package import DNSWire
import Snapshot

/// What `system` stands for in a forwarding rule: the name servers of the machine.
package struct SystemResolvers: Equatable, Sendable {
    package var servers: [AddressAndPort]
    /// Link-local addresses without their interface, which cannot be asked.
    package var unscoped: [IPAddress] = []

    package var addresses: [IPAddress] { servers.map(\.address) }

    /// Octets of a `resolv.conf` that are read, and servers that are taken; the C library takes three.
    private static let (sizeLimit, serverLimit) = (65_536, 16)

    package init(_ addresses: [IPAddress]) { servers = addresses.map { AddressAndPort($0) } }

    /// The name servers of `/etc/resolv.conf`, in their order; none if it cannot be read.
    package static func resolvConf(
        path: String = "/etc/resolv.conf",
        loader: any FileLoader = DiskFileLoader()
    ) -> SystemResolvers {
        SystemResolvers(reading: (try? loader.octets(of: path)) ?? [])
    }

    /// Reads the text of a `resolv.conf`.
    ///
    /// Without a usable `nameserver` line there is nobody to ask. The C library takes 127.0.0.1 then (resolv.conf(5));
    /// this server would ask whatever listens there, itself at worst, and nobody would be told.
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

    /// The server of a `nameserver` line; only a link-local address keeps its interface.
    private static func server(_ line: ArraySlice<UInt8>) -> AddressAndPort? {
        let fields = line.split(maxSplits: 2) { $0 == .space || $0 == .tab }
        guard fields.count > 1, fields[0].elementsEqual("nameserver".utf8),
            let (address, scope) = AddressAndPort.host(
                String(decoding: fields[1], as: UTF8.self)[...]
            )
        else { return nil }
        return AddressAndPort(address, scope: address.isLinkLocalV6 ? scope : .none)
    }

    /// What is wrong with servers that are passed over; nil if none is.
    package var warning: String? {
        guard let first = unscoped.first else { return nil }
        return
            "/etc/resolv.conf names \(unscoped.shownList) without an interface, and a link-local address cannot be asked without; it is passed over; write nameserver \(first)%eth0 there"
    }

    /// Those of them that are not one of `listeners`.
    package func upstreams(besides listeners: [AddressAndPort]) -> [AddressAndPort] {
        let own = OwnAddresses(listeners)
        return servers.filter { own.listener(reachedBy: $0) == nil }
    }
}
