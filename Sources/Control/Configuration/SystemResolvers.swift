package import DNSWire
package import Snapshot

/// What `system` stands for in a forwarding rule: the name servers of the machine.
package struct SystemResolvers: Equatable, Sendable {
    package var addresses: [IPAddress]

    /// Octets of a `resolv.conf` that are read, and servers that are taken; the C library takes three.
    private static let (sizeLimit, serverLimit) = (65_536, 16)

    package init(_ addresses: [IPAddress]) { self.addresses = addresses }

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
        let lines = octets.prefix(Self.sizeLimit).split { $0 == .lineFeed || $0 == .carriageReturn }
        addresses = Array(lines.lazy.compactMap(Self.server).prefix(Self.serverLimit))
    }

    package init(reading text: String) { self.init(reading: Array(text.utf8)) }

    /// The address of a `nameserver` line.
    private static func server(_ line: ArraySlice<UInt8>) -> IPAddress? {
        let fields = line.split(maxSplits: 2) { $0 == .space || $0 == .tab }
        guard fields.count > 1, fields[0].elementsEqual("nameserver".utf8) else { return nil }
        return IPAddress(String(decoding: fields[1], as: UTF8.self))
    }

    /// Those of them that are not one of `listeners`.
    package func upstreams(besides listeners: [Configuration.Listener]) -> [Upstream] {
        let own = OwnAddresses(listeners)
        return addresses.map { Upstream(address: $0) }.filter {
            own.listener(reachedBy: EndpointText(address: $0.address, port: $0.port)) == nil
        }
    }
}
