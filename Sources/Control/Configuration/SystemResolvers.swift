package import DNSWire

/// What `system` stands for in a forwarding rule: the name servers of the machine.
package struct SystemResolvers: Sendable {
    package var addresses: [IPAddress]

    package init(_ addresses: [IPAddress]) { self.addresses = addresses }

    /// The name servers of `/etc/resolv.conf`, in their order.
    package static func resolvConf(
        path: String = "/etc/resolv.conf",
        loader: any FileLoader = DiskFileLoader()
    ) -> SystemResolvers {
        let octets = (try? loader.octets(of: path)) ?? []
        return SystemResolvers(reading: String(decoding: octets, as: UTF8.self))
    }

    /// Reads the text of a `resolv.conf`; without a usable `nameserver` line it means 127.0.0.1, as it
    /// does for the C library (resolv.conf(5)).
    package init(reading text: String) {
        addresses = text.split(whereSeparator: \.isNewline).compactMap { line in
            let fields = line.split { $0 == " " || $0 == "\t" }
            guard fields.count > 1, fields[0] == "nameserver" else { return nil }
            return IPAddress(fields[1])
        }
        if addresses.isEmpty { addresses = [IPAddress(v4: 0x7F00_0001)] }
    }
}
