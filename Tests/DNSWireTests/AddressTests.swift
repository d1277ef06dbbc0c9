import DNSWire
import Glibc
import TestSupport
import Testing

@Suite struct `An address` {
    /// Returns the result of inet_pton(3) for a text.
    private static func reference(_ text: String) -> [UInt8]? {
        let family = text.utf8.contains(UInt8(ascii: ":")) ? AF_INET6 : AF_INET
        var octets = [UInt8](repeating: 0, count: family == AF_INET ? 4 : 16)
        // Sound: the buffer has the size of the family's address, and the text is NUL-terminated.
        return unsafe inet_pton(family, text, &octets) == 1 ? octets : nil
    }

    @Test(arguments: [
        "0.0.0.0", "255.255.255.255", "1.2.3.4", "256.1.1.1", "1.2.3", "1.2.3.4.5", "01.2.3.4",
        "1..2.3", "", ".", "1.2.3.4 ", " 1.2.3.4", "1.2.3.-4", "+1.2.3.4", "0x1.2.3.4",
        "::", "::1", "1::", "2001:db8::1", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7::",
        "::2:3:4:5:6:7:8", "1::2::3", ":::", ":1", "1:", "12345::", "::g", "::1.2.3.4",
        "::ffff:1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3", "1.2.3.4::",
        "fe80::1%eth0", "2001:DB8::A", "[::1]", "::1/64",
    ])
    func `is parsed like inet_pton`(text: String) {
        let expected = Self.reference(text)
        // An IPv4-mapped address is treated as the IPv4 address.
        let mapped = expected.map {
            $0.count == 16 && $0[..<10].allSatisfy { $0 == 0 } && $0[10] == 255 && $0[11] == 255
        }
        let octets = mapped == true ? expected.map { Array($0[12...]) } : expected
        #expect(IPAddress(text)?.octets == octets, "\(text)")
    }

    @Test func `made of random pieces is parsed like inet_pton`() {
        var random = SeededGenerator(seed: 8)
        let pieces = ["1", "ff", "0", "255", "256", ":", ":", "::", ".", ".", "abcd", "g", "00"]
        for _ in 0..<20_000 {
            let count = Int.random(in: 1...14, using: &random)
            let text = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            guard let expected = Self.reference(text) else {
                #expect(IPAddress(text) == nil, "\(text)")
                continue
            }
            let address = IPAddress(text)
            #expect(address != nil, "\(text)")
            if address?.isV4 == false { #expect(address?.octets == expected, "\(text)") }
        }
    }

    @Test func `prints like inet_ntop`() throws {
        var random = SeededGenerator(seed: 9)
        for _ in 0..<5_000 {
            let octets = (0..<16).map { _ in
                Bool.random(using: &random) ? 0 : UInt8.random(in: 0...255, using: &random)
            }
            let address = try #require(IPAddress(octets: octets))
            var text = [CChar](repeating: 0, count: 64)
            // Sound: the buffers have the sizes that are passed.
            _ = unsafe inet_ntop(AF_INET6, octets, &text, 64)
            let expected = String(
                decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
                as: UTF8.self
            )
            // inet_ntop uses dotted notation for some addresses for which RFC 5952 uses
            // hexadecimal.
            if !expected.contains(".") { #expect("\(address)" == expected) }
            #expect(IPAddress("\(address)") == address)
        }
    }

    @Test func `knows loopback and the unspecified address of both families`() throws {
        for text in ["127.0.0.1", "127.255.0.9", "::1"] {
            #expect(try #require(IPAddress(text)).isLoopback)
        }
        for text in ["128.0.0.1", "::2", "0.0.0.0"] {
            #expect(try !#require(IPAddress(text)).isLoopback)
        }
        for text in ["0.0.0.0", "::"] { #expect(try #require(IPAddress(text)).isUnspecified) }
    }
}

@Suite struct `A prefix` {
    @Test(arguments: [
        ("10.20.0.0/16", "10.20.0.0", "10.20.255.255"), ("0.0.0.0/0", "0.0.0.0", "255.255.255.255"),
        ("192.0.2.1/32", "192.0.2.1", "192.0.2.1"), ("192.0.2.1", "192.0.2.1", "192.0.2.1"),
        ("2001:db8::/32", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
    ])
    func `has a first and a last address`(text: String, first: String, last: String) throws {
        let prefix = try #require(IPPrefix(text))
        #expect("\(prefix.first)" == first && "\(prefix.last)" == last)
        #expect(prefix.contains(prefix.first) && prefix.contains(prefix.last))
    }

    @Test(arguments: [
        "10.0.0.0/33", "2001:db8::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8", "/8",
        "10.0.0/8",
        "10.0.0.0/08x", "10.0.0.0/0000", "",
    ])
    func `is nil for invalid text`(text: String) { #expect(IPPrefix(text) == nil) }

    @Test func `contains an address exactly if a bit by bit comparison says so`() throws {
        var random = SeededGenerator(seed: 10)
        for _ in 0..<5_000 {
            let bits = (UInt128(random.next()) << 64) | UInt128(random.next())
            let length = Int.random(in: 0...128, using: &random)
            let prefix = IPPrefix(IPAddress(bits: bits), length: length)
            let flip = Int.random(in: 0...127, using: &random)
            let other = IPAddress(bits: bits ^ UInt128(1) << UInt128(127 - flip))
            #expect(prefix.contains(other) == (flip >= length))
            #expect(IPPrefix("\(prefix)") == prefix || prefix.first.isV4)
        }
    }

    @Test func `does not mix families`() throws {
        let everyV4 = try #require(IPPrefix("0.0.0.0/0"))
        #expect(!everyV4.contains(try #require(IPAddress("2001:db8::1"))))
        #expect(try !#require(IPPrefix("::/0")).contains(everyV4))
        #expect(try !#require(IPPrefix("::/0")).overlaps(everyV4))
        #expect(everyV4.isV4 && !(IPPrefix("::/96")?.isV4 ?? true))
    }
}

@Suite struct `A record type` {
    @Test func `survives the way through text, with a mnemonic or without`() {
        for number in 0...UInt16.max {
            let type = RecordType(rawValue: number)
            #expect(RecordType("\(type)") == type)
        }
    }

    @Test(arguments: ["", "TYPE", "TYPE65536", "TYPE-1", "AA", "TYPE1x"])
    func `is nil for invalid text`(text: String) { #expect(RecordType(text) == nil) }

    @Test func `is read in any letter case`() {
        #expect(RecordType("aaaa") == .aaaa)
        #expect(RecordType("type28") == .aaaa)
    }
}
