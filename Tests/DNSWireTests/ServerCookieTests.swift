import Testing

@testable import DNSWire

@Suite struct `A server cookie` {
    /// A client cookie, its address, a time, and the server cookie with that time.
    ///
    /// All but the last two use one secret; those two are of a rollover (RFC 9018 appendix A).
    static let examples: [(client: UInt64, address: String, head: UInt64, hash: UInt64)] = [
        (0x2464_C4AB_CF10_C957, "198.51.100.100", 0x0100_0000_5CF7_9F11, 0x1F81_30C3_EEE2_9480),
        (0x2464_C4AB_CF10_C957, "198.51.100.100", 0x0100_0000_5CF7_A871, 0xD4A5_64A1_442A_CA77),
        (0xFC93_FC62_807D_DB86, "203.0.113.203", 0x0100_0000_5CF7_A9AC, 0xF73A_7810_ACA2_381E),
    ]
    static let secret = "e5e973e5a6b2a43f48e7dc849e37bfcf"

    private static func secrets(_ texts: String...) throws -> CookieSecrets {
        let secrets = texts.compactMap { CookieSecret(hexadecimal: $0) }
        return CookieSecrets(
            current: try #require(secrets.first),
            previous: secrets.dropFirst().first
        )
    }

    private static func address(_ text: String) throws -> IPAddress {
        try #require(IPAddress(text))
    }

    @Test(arguments: examples)
    func `is what every other server with that secret makes`(
        client: UInt64,
        address: String,
        head: UInt64,
        hash: UInt64
    ) throws {
        let secrets = try Self.secrets(Self.secret)
        let address = try Self.address(address)
        let time = UInt32(truncatingIfNeeded: head)
        let made = secrets.cookie(for: client, at: address, time: time)
        #expect(made == ServerCookie(head: head, hash: hash))
        #expect(secrets.accept(Cookie(client: client, server: made), from: address, time: time))
    }

    @Test func `is accepted with other reserved octets`() throws {
        let server = ServerCookie(head: 0x01AB_CDEF_5CF7_8F71, hash: 0xA314_227B_6679_EBF5)
        let cookie = Cookie(client: 0xFC93_FC62_807D_DB86, server: server)
        let address = try Self.address("203.0.113.203")
        #expect(
            try Self.secrets(Self.secret).accept(cookie, from: address, time: 0x5CF7_8F71 + 3600)
        )
    }

    @Test func `of the secret before is taken, and new ones are made with the new secret`() throws {
        let (old, new) = ("dd3bdf9344b678b185a6f5cb60fca715", "445536bcd2513298075a5d379663c962")
        let address = try Self.address("2001:db8:220:1:59de:d0f4:8769:82b8")
        let client: UInt64 = 0x2268_1AB9_7D52_C298
        let server = ServerCookie(head: 0x0100_0000_5CF7_C579, hash: 0x2655_6BD0_934C_72F8)
        let cookie = Cookie(client: client, server: server)
        let time: UInt32 = 0x5CF7_C609
        #expect(try Self.secrets(new, old).accept(cookie, from: address, time: time))
        #expect(try Self.secrets(old).accept(cookie, from: address, time: time))
        #expect(try !Self.secrets(new).accept(cookie, from: address, time: time))
        #expect(
            try Self.secrets(new, old).cookie(for: client, at: address, time: time)
                == ServerCookie(head: 0x0100_0000_5CF7_C609, hash: 0xA6BB_79D1_6625_507A)
        )
    }

    @Test(arguments: [(3600, true), (3601, false), (-300, true), (-301, false), (1 << 30, false)])
    func `is good for an hour, and five minutes early`(age: Int, isGood: Bool) throws {
        let secrets = try Self.secrets(Self.secret)
        let address = try Self.address("192.0.2.1")
        let made: UInt32 = 100
        let cookie = Cookie(client: 5, server: secrets.cookie(for: 5, at: address, time: made))
        let now = made &+ UInt32(bitPattern: Int32(age))
        #expect(secrets.accept(cookie, from: address, time: now) == isGood)
    }

    @Test func `of another client, address, version or secret is refused`() throws {
        let secrets = try Self.secrets(Self.secret)
        let address = try Self.address("192.0.2.1")
        let good = secrets.cookie(for: 5, at: address, time: 9)
        let takes = { (client: UInt64, server: ServerCookie?, address: IPAddress) in
            secrets.accept(Cookie(client: client, server: server), from: address, time: 9)
        }
        #expect(takes(5, good, address))
        #expect(!takes(6, good, address))
        #expect(!takes(5, good, IPAddress(bits: address.bits + 1)))
        #expect(!takes(5, ServerCookie(head: good.head, hash: good.hash ^ 1), address))
        #expect(!takes(5, ServerCookie(head: good.head ^ 3 << 56, hash: good.hash), address))
        #expect(!takes(5, nil, address))
        let other = CookieSecrets(current: .random())
        #expect(!other.accept(Cookie(client: 5, server: good), from: address, time: 9))
    }

    @Test(arguments: ["", "e5e973e5a6b2a43f48e7dc849e37bfc", "g5e973e5a6b2a43f48e7dc849e37bfcf"])
    func `needs a secret of 32 hexadecimal digits`(text: String) {
        #expect(CookieSecret(hexadecimal: text) == nil)
    }

    @Test func `is made with the SipHash of its authors' test vector`() throws {
        // Key 00 01 … 0f, message 00 01 … 0e.
        let key = try #require(CookieSecret(hexadecimal: "000102030405060708090a0b0c0d0e0f"))
        var hash = SipHash(key: key)
        hash.append(0x0706_0504_0302_0100)
        #expect(hash.hash(appending: 0x0E_0D0C_0B0A_0908, octets: 7) == 0xA129_CA61_49BE_45E5)
    }
}
