import DNSWire
import TestSupport

/// Any octets before a message.
enum ProxyTarget {
    static func run(_ input: [UInt8]) throws(BrokenProperty) {
        let header: ProxyHeader?
        do throws(ProxyHeaderError) {
            header = try ProxyHeader.read(input.span)
        } catch {
            let more = try? ProxyHeader.read((input + [0]).span)
            return try require(more == nil, "an error that more octets mend")
        }
        guard let header else { return }
        try require((16...input.count).contains(header.length), "a header of \(header.length)")
        let alone = Array(input[..<header.length])
        try require((try? ProxyHeader.read(alone.span)) == header, "it depends on what follows")
        for length in alone.indices {
            let read = try? ProxyHeader.read(alone.span.extracting(first: length)) as ProxyHeader??
            try require(read == .some(nil), "\(length) of \(alone.count) octets are no beginning")
        }
        try writeAgain(header, alone)
    }

    private static func writeAgain(
        _ header: ProxyHeader,
        _ octets: [UInt8]
    ) throws(BrokenProperty) {
        guard let source = header.source else {
            return try require(header.endpoint == nil, "an endpoint of nobody")
        }
        let endpoint = header.endpoint == nil ? nil : endpointText(in: octets)
        let written = ProxiedMessage.header(from: source.description, through: endpoint)
        let again = try? ProxyHeader.read(written.span)
        try require(
            again?.source == source && again?.endpoint == header.endpoint,
            "\(source) through \(endpoint ?? "nothing") is read as another"
        )
    }

    /// The ID in the first TLV of type 0xEA and subtype 1 after the addresses.
    private static func endpointText(in octets: [UInt8]) -> String? {
        var rest = octets[(octets[13] & 0xF0 == 0x10 ? 28 : 52)...]
        while rest.count >= 3 {
            let tlv = Array(rest)
            let end = 3 + (Int(tlv[1]) << 8 | Int(tlv[2]))
            if tlv[0] == 0xEA, end > 3, tlv[3] == 1 {
                return String(decoding: tlv[4..<end], as: UTF8.self)
            }
            rest = rest.dropFirst(end)
        }
        return nil
    }
}
