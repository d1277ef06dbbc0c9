import ArgumentParser
import DNSWire
import Server

/// `--listen`: `127.0.0.1:5300`, `[::1]:5300`, or an address alone for port 53.
struct ListenAddress: ExpressibleByArgument {
    let address: AddressAndPort

    init?(argument: String) {
        guard let split = Self.split(argument), let address = IPAddress(split.address),
            let port = UInt16(split.port)
        else { return nil }
        self.address = AddressAndPort(address, port: port)
    }

    private static func split(_ text: String) -> (address: Substring, port: Substring)? {
        if text.hasPrefix("[") {
            guard let bracket = text.firstIndex(of: "]") else { return nil }
            let address = text[text.index(after: text.startIndex)..<bracket]
            let rest = text[text.index(after: bracket)...]
            if rest.isEmpty { return (address, "53") }
            return rest.hasPrefix(":") ? (address, rest.dropFirst()) : nil
        }
        let colons = text.count { $0 == ":" }
        guard colons == 1, let colon = text.firstIndex(of: ":") else { return (text[...], "53") }
        return (text[..<colon], text[text.index(after: colon)...])
    }
}
