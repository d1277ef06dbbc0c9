import TestSupport
import Testing

@testable import DNSWire

@Suite struct `A PROXY header` {
    /// From 10.20.5.17:49152 to 10.20.16.163:53 over TCP, through vpce-0f7763f87e99bfae4.
    private static let tcp4: [UInt8] =
        ProxiedMessage.signature + [0x21, 0x11, 0x00, 0x2D]
        + [10, 20, 5, 17, 10, 20, 16, 163, 0xC0, 0x00, 0x00, 0x35]
        + [0x03, 0x00, 0x04, 0x78, 0xE6, 0x90, 0xC5]
        + [0xEA, 0x00, 0x17, 0x01] + "vpce-0f7763f87e99bfae4".utf8

    /// The same over UDP.
    private static let udp4: [UInt8] = {
        var header = tcp4
        header[13] = 0x12
        header.replaceSubrange(31..<35, with: [0x5C, 0x9D, 0xB7, 0xC9])
        return header
    }()

    /// From 2600:1f18:1a2b:3c00::beef to 2600:1f18:1a2b:3c01::a3 over TCP.
    private static let tcp6: [UInt8] =
        ProxiedMessage.signature + [0x21, 0x21, 0x00, 0x45]
        + [0x26, 0x00, 0x1F, 0x18, 0x1A, 0x2B, 0x3C, 0x00, 0, 0, 0, 0, 0, 0, 0xBE, 0xEF]
        + [0x26, 0x00, 0x1F, 0x18, 0x1A, 0x2B, 0x3C, 0x01, 0, 0, 0, 0, 0, 0, 0x00, 0xA3]
        + [0xC0, 0x00, 0x00, 0x35]
        + [0x03, 0x00, 0x04, 0x51, 0x01, 0x26, 0xF0]
        + [0xEA, 0x00, 0x17, 0x01] + "vpce-0f7763f87e99bfae4".utf8

    /// As sent by AWS's load balancer, with padding (type 4) after the endpoint.
    private static let balancer: [UInt8] =
        ProxiedMessage.signature + [0x21, 0x11, 0x00, 0x54]
        + [0xAC, 0x1F, 0x07, 0x71, 0xAC, 0x1F, 0x0A, 0x1F, 0xC8, 0xF2, 0x00, 0x50]
        + [0x03, 0x00, 0x04, 0xE8, 0xD6, 0x89, 0x2D]
        + [0xEA, 0x00, 0x17, 0x01] + "vpce-08d2bf15fac5001c9".utf8
        + [0x04, 0x00, 0x24] + [UInt8](repeating: 0, count: 36)

    /// AWS's health check: LOCAL with a family, no addresses, and TLVs directly after.
    private static let healthCheck: [UInt8] =
        ProxiedMessage.signature + [0x20, 0x11, 0x00, 0x54]
        + [0x03, 0x00, 0x04, 0xBC, 0xE5, 0x95, 0x1F]
        + [0x04, 0x00, 0x4A] + [UInt8](repeating: 0, count: 74)

    private static let golden = [tcp4, udp4, tcp6, balancer]

    private func read(_ octets: [UInt8]) throws(ProxyHeaderError) -> ProxyHeader? {
        try ProxyHeader.read(octets.span)
    }

    @Test(arguments: [
        (tcp4, 61, "10.20.5.17", "vpce-0f7763f87e99bfae4"),
        (udp4, 61, "10.20.5.17", "vpce-0f7763f87e99bfae4"),
        (tcp6, 85, "2600:1f18:1a2b:3c00::beef", "vpce-0f7763f87e99bfae4"),
        (balancer, 100, "172.31.7.113", "vpce-08d2bf15fac5001c9"),
    ])
    func `says who the client is and where the message starts`(
        header: [UInt8],
        length: Int,
        source: String,
        endpoint: String
    ) throws {
        for message in [[], QueryMessage.of("ssm.example.org")] {
            let read = try #require(try read(header + message))
            #expect(read.length == length)
            #expect(read.source == IPAddress(source))
            #expect(read.endpoint == EndpointID(endpoint))
            #expect(read.endpoint != nil)
        }
    }

    @Test(arguments: golden)
    func `with any bit flipped is not read as before`(header: [UInt8]) {
        // Flipping the checksum's type leaves no checksum to verify.
        let checksum = header[13] == 0x21 ? 52 : 28
        for bit in 0..<8 * header.count where bit / 8 != checksum {
            var flipped = header
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            let result = try? read(flipped + [UInt8](repeating: 0, count: 65_536))
            // A flip to LOCAL moves the checksum out of place, but leaves no source either.
            #expect(result == nil || result?.source == nil, "bit \(bit)")
        }
    }

    @Test func `with changed addresses fails its checksum`() {
        for octet in 16..<28 {
            var flipped = Self.tcp4
            flipped[octet] ^= 1
            #expect(throws: ProxyHeaderError.checksum) { try read(flipped) }
        }
    }

    @Test(arguments: golden + [healthCheck, ProxiedMessage.local])
    func `truncated at any octet is incomplete`(header: [UInt8]) throws {
        for length in 0..<header.count {
            #expect(try read(Array(header[..<length])) == nil)
        }
        #expect(try read(header) != nil)
    }

    @Test(arguments: golden)
    func `whose length is less than its contents is an error`(header: [UInt8]) {
        let addresses = header[13] == 0x21 ? 36 : 12
        for length in 0..<header.count - 16 where length != addresses {
            var cut = Array(header[..<(16 + length)])
            (cut[14], cut[15]) = (0, UInt8(length))
            #expect(throws: ProxyHeaderError.self) { try read(cut) }
        }
    }

    @Test func `of a LOCAL command gives no client`() throws {
        for header in [Self.healthCheck, ProxiedMessage.local] {
            let read = try #require(try read(header + [1, 2, 3]))
            #expect(read == (try self.read(header)))
            #expect(read.length == header.count)
            #expect(read.source == nil && read.endpoint == nil)
        }
    }

    @Test func `of family UNSPEC gives no client, whatever follows`() throws {
        let header = ProxiedMessage.header(family: 0x00, ProxiedMessage.type(0xEA, [1, 65]))
        let read = try #require(try read(header))
        #expect(read.length == header.count)
        #expect(read.source == nil && read.endpoint == nil)
    }

    /// Returns a LOCAL or UNSPEC header with a checksum after `front`.
    private static func sealed(
        command: UInt8,
        family: UInt8,
        behind front: [UInt8]
    ) -> [UInt8] {
        let types = front + ProxiedMessage.type(0x03, [0, 0, 0, 0])
        let header = ProxiedMessage.header(command: command, family: family, types)
        return ProxiedMessage.sealed(header, checksumAt: 16 + front.count + 3)
    }

    private static let silent: [[UInt8]] = [
        healthCheck, sealed(command: 0x20, family: 0, behind: []),
        sealed(command: 0x21, family: 0, behind: ProxiedMessage.type(0x04, [7, 7])),
        sealed(command: 0x20, family: 0x11, behind: [UInt8](repeating: 0xFF, count: 12)),
        sealed(command: 0x20, family: 0x22, behind: [UInt8](repeating: 0xFF, count: 36)),
        sealed(command: 0x20, family: 0x31, behind: [UInt8](repeating: 0xFF, count: 216)),
    ]

    @Test(arguments: silent)
    func `that says nothing of a client has its checksum verified, too`(header: [UInt8]) throws {
        #expect(try read(header) != nil)
        let place = try #require(
            (16..<header.count - 6).first { Array(header[$0..<$0 + 3]) == [0x03, 0, 4] }
        )
        for octet in place + 3..<place + 7 {
            var flipped = header
            flipped[octet] ^= 0x10
            #expect(throws: ProxyHeaderError.checksum) { try read(flipped) }
        }
    }

    /// In the first header, the addresses can be read as a TLV that hides the checksum after them.
    @Test(arguments: [
        [10, 0, 16, 5, 10, 0, 0, 2, 0, 1, 0, 53], [3, 0, 4, 1, 2, 3, 4, 0, 0, 2, 0, 53],
    ])
    func `of a LOCAL command has its checksum found after any addresses`(
        addresses: [UInt8]
    ) throws {
        var header = Self.sealed(command: 0x20, family: 0x11, behind: addresses)
        #expect(try read(header) != nil)
        header[header.count - 1] ^= 1
        #expect(throws: ProxyHeaderError.checksum) { try read(header) }
    }

    @Test(arguments: [(0x21, 0x11), (0x21, 0x00), (0x20, 0x00), (0x20, 0x12)] as [(UInt8, UInt8)])
    func `with two checksums is an error, in time proportional to its length`(
        command: UInt8,
        family: UInt8
    ) {
        let front: [UInt8] = command == 0x21 && family != 0 ? [UInt8](repeating: 1, count: 12) : []
        let one = ProxiedMessage.type(0x03, [0, 0, 0, 0])
        // The second checksum is correct.
        let header = ProxiedMessage.sealed(
            ProxiedMessage.header(command: command, family: family, front + one + one),
            checksumAt: 16 + front.count + one.count + 3
        )
        #expect(throws: ProxyHeaderError.checksum) { try read(header) }
    }

    @Test func `of a LOCAL command must not have a TLV beyond its end`() {
        for types in [[0x04, 0, 9, 1], [0x04], [0x03, 0, 4, 0, 0]] as [[UInt8]] {
            let header = ProxiedMessage.header(command: 0x20, family: 0, types)
            #expect(throws: ProxyHeaderError.truncated) { try read(header) }
        }
    }

    @Test(arguments: [0x10, 0x13, 0x20, 0x23, 0x31, 0x32, 0x41, 0x01, 0x02, 0xFF] as [UInt8])
    func `of UNIX sockets or of an unknown family is an error`(family: UInt8) {
        let header = ProxiedMessage.header(family: family, [UInt8](repeating: 0, count: 216))
        #expect(throws: ProxyHeaderError.family) { try read(header) }
    }

    @Test(arguments: [0x00, 0x01, 0x10, 0x11, 0x22, 0x2F, 0x31, 0xFF] as [UInt8])
    func `of another version or command is an error at that octet`(command: UInt8) {
        let header = ProxiedMessage.header(command: command, [UInt8](repeating: 0, count: 12))
        #expect(throws: ProxyHeaderError.command) { try read(Array(header[..<13])) }
    }

    @Test func `is refused at the first octet that differs from the signature`() {
        #expect(throws: ProxyHeaderError.signature) {
            try read(Array("PROXY TCP4 10.20.1.7 10.0.0.1 49152 53\r\n".utf8))
        }
        for index in ProxiedMessage.signature.indices {
            var start = Array(ProxiedMessage.signature[...index])
            start[index] ^= 0x80
            #expect(throws: ProxyHeaderError.signature) { try read(start) }
        }
    }

    // MARK: TLVs

    /// Returns a header with `types` after the addresses of 10.20.5.17.
    private static func header(_ types: [UInt8]) -> [UInt8] {
        ProxiedMessage.header([10, 20, 5, 17, 10, 20, 16, 163, 0xC0, 0, 0, 53] + types)
    }

    @Test func `needs no TLV, and unknown ones are skipped`() throws {
        #expect(try read(Self.header([]))?.source == IPAddress("10.20.5.17"))
        let types = [0x01, 0x02, 0x04, 0x05, 0x20, 0x30, 0xE0, 0xEF].flatMap {
            ProxiedMessage.type($0, [1, 2, 3])
        }
        let endpoint = ProxiedMessage.type(0xEA, [1] + "vpce-1".utf8)
        #expect(try read(Self.header(types + endpoint))?.endpoint == EndpointID("vpce-1"))
    }

    @Test(arguments: [
        [0x04], [0x04, 0], [0x04, 0, 1], [0x04, 0xFF, 0xFF, 0], [0xEA, 0, 9, 1, 65],
    ])
    func `with a TLV beyond its end is an error`(type: [UInt8]) {
        #expect(throws: ProxyHeaderError.truncated) { try read(Self.header(type)) }
    }

    @Test(arguments: [0, 3, 5])
    func `with a checksum of another length is an error`(count: Int) {
        let type = ProxiedMessage.type(0x03, [UInt8](repeating: 0, count: count))
        #expect(throws: ProxyHeaderError.checksum) { try read(Self.header(type)) }
    }

    @Test func `with the octets of its checksum reversed is an error`() {
        var header = Self.tcp4
        header[31..<35].reverse()
        #expect(throws: ProxyHeaderError.checksum) { try read(header) }
    }

    @Test(arguments: ["", "vpce_1", "vpce-\u{0}", "vpce-1 ", String(repeating: "a", count: 33)])
    func `with an invalid endpoint ID is an error`(text: String) {
        let type = ProxiedMessage.type(0xEA, [1] + text.utf8)
        #expect(throws: ProxyHeaderError.endpoint) { try read(Self.header(type)) }
    }

    @Test func `with two endpoints is an error`() {
        let type = ProxiedMessage.type(0xEA, [1] + "vpce-1".utf8)
        #expect(throws: ProxyHeaderError.endpoint) { try read(Self.header(type + type)) }
    }

    @Test(arguments: [[], [0x00], [0x02] + Array("vpce-1".utf8)] as [[UInt8]])
    func `with another AWS subtype has no endpoint`(value: [UInt8]) throws {
        let header = try #require(try read(Self.header(ProxiedMessage.type(0xEA, value))))
        #expect(header.endpoint == nil)
    }

    // MARK: Properties

    @Test(arguments: 0..<20)
    func `made at random is read back unchanged`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let address =
                Bool.random(using: &random)
                ? IPAddress(v4: random.next())
                : IPAddress(bits: UInt128.random(in: 0 ... .max, using: &random))
            let length = Int.random(in: 1...32, using: &random)
            let id = String(
                (0..<length).map { _ in
                    "abcdefghijklmnopqrstuvwxyz0123456789-".randomElement(using: &random) ?? "a"
                }
            )
            let header = ProxiedMessage.header(from: "\(address)", through: id)
            let read = try #require(try read(header))
            #expect(read.source == address && read.length == header.count)
            #expect(read.endpoint == EndpointID(id))
        }
    }

    @Test(arguments: 0..<20)
    func `of random octets is never read beyond its end`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            var octets = Self.golden.randomElement(using: &random) ?? []
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                octets[Int.random(in: 12..<octets.count, using: &random)] = random.next()
            }
            octets = Array(octets.prefix(Int.random(in: 0...octets.count, using: &random)))
            guard let header = try? read(octets) else { continue }
            #expect(header.length <= octets.count)
        }
    }
}

@Suite struct `CRC-32C` {
    @Test func `of the digits is the known value`() {
        #expect(Self.checksum(Array("123456789".utf8)) == 0xE306_9283)
    }

    @Test(arguments: 0..<100)
    func `is the same as computed bit by bit`(length: Int) {
        var random = SeededGenerator(seed: UInt64(length))
        let octets = (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        #expect(Self.checksum(octets) == ProxiedMessage.checksum(of: octets))
    }

    private static func checksum(_ octets: [UInt8]) -> UInt32 {
        var crc = CRC32C()
        crc.add(octets.span)
        return crc.checksum
    }
}

@Suite struct `An endpoint's ID` {
    @Test func `is ordered like its octets`() {
        let texts = ["-", "A", "vpce-0", "vpce-00", "vpce-0123456789a", "vpce-0123456789ab", "z"]
        for (index, one) in texts.enumerated() {
            for (other, two) in texts.enumerated() {
                #expect((EndpointID(one) == EndpointID(two)) == (index == other))
            }
        }
        #expect(texts.compactMap { EndpointID($0) } == texts.compactMap { EndpointID($0) }.sorted())
    }
}
