import DNSWire

/// PROXY protocol v2 headers built octet by octet.
package enum ProxiedMessage {
    /// CR LF CR LF NUL CR LF `QUIT` LF.
    package static let signature: [UInt8] = [
        0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
    ]

    /// Signature, version and command, family and transport, length, and body.
    package static func header(
        command: UInt8 = 0x21,
        family: UInt8 = 0x12,
        _ body: [UInt8]
    ) -> [UInt8] {
        signature + [command, family, UInt8(body.count >> 8), UInt8(body.count & 0xFF)] + body
    }

    /// The header of a client at `source`, with a checksum and an endpoint.
    package static func header(
        from source: String,
        through endpoint: String? = nil,
        over transport: UInt8 = 2
    ) -> [UInt8] {
        let octets = IPAddress(source)?.octets ?? []
        let destination = [UInt8](repeating: 1, count: octets.count)
        let family: UInt8 = octets.count == 4 ? 0x10 : 0x20
        let types = type(0x03, [0, 0, 0, 0]) + (endpoint.map { type(0xEA, [1] + $0.utf8) } ?? [])
        return sealed(
            header(family: family | transport, octets + destination + [0xC0, 0, 0, 53] + types),
            checksumAt: 16 + 2 * octets.count + 4 + 3
        )
    }

    /// A LOCAL header: the proxy queries for itself.
    package static let local = header(command: 0x20, family: 0x00, [])

    /// One TLV.
    package static func type(_ type: UInt8, _ value: [UInt8]) -> [UInt8] {
        [type, UInt8(value.count >> 8), UInt8(value.count & 0xFF)] + value
    }

    /// The header with its checksum filled in, computed bit by bit.
    package static func sealed(_ header: [UInt8], checksumAt place: Int) -> [UInt8] {
        var header = header
        header.replaceSubrange(place..<place + 4, with: [0, 0, 0, 0])
        let checksum = checksum(of: header)
        let octets = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: checksum >> UInt32($0)) }
        header.replaceSubrange(place..<place + 4, with: octets)
        return header
    }

    /// CRC-32C.
    package static func checksum(of octets: [UInt8]) -> UInt32 {
        var state = UInt32.max
        for octet in octets {
            state ^= UInt32(octet)
            for _ in 0..<8 { state = state & 1 == 0 ? state >> 1 : state >> 1 ^ 0x82F6_3B78 }
        }
        return ~state
    }
}
