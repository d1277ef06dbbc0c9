package import DNSWire
import Snapshot

extension ValueForm<IPPrefix> {
    /// A CIDR block without host bits.
    static let prefix = ValueForm("a CIDR block such as 10.20.0.0/16") {
        (text) throws(ValueFault) in
        guard let prefix = v4(text) ?? IPPrefix(text) else {
            throw ValueFault(
                "`\(text.shown)` is not a CIDR block; write, for example, 10.20.0.0/16"
            )
        }
        let end = text.utf8.firstIndex(of: UInt8(ascii: "/")) ?? text.endIndex
        guard !prefix.isV4 || !text[..<end].utf8.contains(UInt8(ascii: ":")) else {
            throw ValueFault("\(text.shown) is an IPv4-mapped block; write \(prefix)")
        }
        guard IPAddress(text[..<end]) == prefix.first else {
            throw ValueFault("\(text.shown) has host bits set; write \(prefix)")
        }
        return prefix
    }

    /// A fast path for IPv4 blocks, of which a large configuration has many.
    private static func v4(_ text: String) -> IPPrefix? {
        guard let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")),
            let length = NumberText.whole(text.utf8[text.utf8.index(after: slash)...]),
            length <= 32, let address = IPAddress(text[..<slash]), address.isV4,
            !text.utf8.contains(UInt8(ascii: ":"))
        else { return nil }
        return IPPrefix(address, length: 96 + length)
    }
}

extension AddressAndPort {
    /// Parses `127.0.0.1:5300`, `[::1]:5300`, `fe80::1%eth0`, or an address alone with the default
    /// port.
    package init?(_ text: String, defaultPort: UInt16 = 53) {
        guard let (hostText, portText) = Self.split(text),
            let (address, scope) = Self.host(hostText)
        else { return nil }
        guard let portText else {
            self.init(address, port: defaultPort, scope: scope)
            return
        }
        guard let number = NumberText.whole(portText), let port = UInt16(exactly: number) else {
            return nil
        }
        self.init(address, port: port, scope: scope)
    }

    /// Parses an address and the interface after a `%`.
    static func host(_ text: Substring) -> (IPAddress, InterfaceScope)? {
        let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = parts.first.flatMap({ IPAddress($0) }) else { return nil }
        guard parts.count > 1 else { return (address, .none) }
        // Zone index 0 is the default zone, not an interface (RFC 4007 §6).
        let isDefault = !parts[1].isEmpty && parts[1].utf8.allSatisfy { $0 == UInt8(ascii: "0") }
        if isDefault, !address.isV4 { return (address, .none) }
        return InterfaceScope(parts[1]).map { (address, $0) }
    }

    /// Why this address and interface cannot be used for a socket; nil if they can.
    package var scopeFault: String? {
        guard address.isLinkLocalV6 == scope.isNone else { return nil }
        return address.isLinkLocalV6
            ? "\(address) is a link-local address, which requires an interface; write, for example, \(address)%eth0"
            : "only link-local addresses (fe80::/10) can have an interface; write \(address)"
    }

    private static func split(_ text: String) -> (address: Substring, port: Substring?)? {
        if text.hasPrefix("[") {
            guard let bracket = text.firstIndex(of: "]") else { return nil }
            let address = text[text.index(after: text.startIndex)..<bracket]
            let rest = text[text.index(after: bracket)...]
            guard address.contains(":") else { return nil }
            if rest.isEmpty { return (address, nil) }
            return rest.hasPrefix(":") ? (address, rest.dropFirst()) : nil
        }
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")),
            text.utf8.count(where: { $0 == UInt8(ascii: ":") }) == 1
        else {
            return (text[...], nil)
        }
        return (text[..<colon], text[text.index(after: colon)...])
    }
}

extension ValueForm<AddressAndPort> {
    /// The address of a listener; port 0 lets the system choose.
    static let listener = ValueForm("an address and port such as 127.0.0.1:5300") {
        (text) throws(ValueFault) in
        guard let endpoint = AddressAndPort(text) else {
            throw ValueFault(
                "`\(text.shown)` is not an address and port; write 127.0.0.1:5300 or \"[::1]:5300\""
            )
        }
        if let fault = endpoint.scopeFault { throw ValueFault(fault) }
        return endpoint
    }

    /// The address of a name server; the default port is 53.
    static let upstream = ValueForm("an address such as 10.9.0.53 or \"10.9.0.53:5353\"") {
        (text) throws(ValueFault) in
        guard let endpoint = AddressAndPort(text), endpoint.port > 0 else {
            throw ValueFault(
                "`\(text.shown)` is not a name server; write system, 10.9.0.53, \"10.9.0.53:5353\" or \"[2001:db8::53]:53\""
            )
        }
        if let fault = endpoint.scopeFault { throw ValueFault(fault) }
        return endpoint
    }
}
