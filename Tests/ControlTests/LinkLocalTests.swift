import Control
import DNSWire
import Snapshot
import TestSupport
import Testing

@Suite struct `Link-local addresses` {
    @Test(arguments: [
        ("fe80::1%eth0", "[fe80::1%eth0]:53"), ("[fe80::1%eth0]:5353", "[fe80::1%eth0]:5353"),
        ("[fe80::1%2]", "[fe80::1%2]:53"), ("fe80::1%eth0.100", "[fe80::1%eth0.100]:53"),
        ("2001:db8::1", "[2001:db8::1]:53"), ("10.0.0.1:53", "10.0.0.1:53"),
    ])
    func `an interface follows its address`(text: String, shown: String) throws {
        let endpoint = try #require(AddressAndPort(text))
        #expect("\(endpoint)" == shown)
        #expect(endpoint.scopeFault == nil)
    }

    @Test(arguments: [
        "fe80::1%", "fe80::1%a b", "fe80::1%a/b", "fe80::1%a:1", "fe80::1%abcdefghijklmnop",
        "%eth0", "fe80::1%eth0#53", "fe80::1%eth0@53",
        "fe80::1%a%b", "[fe80::1%eth0]53",
    ])
    func `an address with an invalid interface is refused`(text: String) {
        #expect(AddressAndPort(text) == nil)
    }

    /// RFC 4007 §6: zone index 0 is the default zone, not an interface.
    @Test(arguments: ["fe80::1%0", "[fe80::1%0]:5300", "fe80::1%00"])
    func `number 0 is no interface`(text: String) throws {
        let endpoint = try #require(AddressAndPort(text))
        #expect(endpoint.scope.isNone)
        #expect(endpoint.scopeFault?.contains("requires an interface") == true)
        let found = check("listen: [\"\(text)\"]\nforward: [{ zone: \".\", to: [\"\(text)\"] }]\n")
        #expect(found.map(\.severity) == [.error, .error], "\(found)")
    }

    @Test(arguments: ["fe80::1", "febf::1", "2001:db8::1%eth0", "10.0.0.1%eth0", "::1%lo"])
    func `an interface is required for link-local addresses, and refused for others`(
        text: String
    ) throws {
        #expect(try #require(AddressAndPort(text)).scopeFault != nil)
    }

    @Test func `one address on two interfaces is two servers`() throws {
        let first = try #require(InterfaceScope("eth0"))
        let second = try #require(InterfaceScope("eth1"))
        let address = try #require(IPAddress("fe80::53"))
        let upstreams: Set = [
            AddressAndPort(address, scope: first), AddressAndPort(address, scope: second),
        ]
        #expect(upstreams.count == 2)
        #expect(AddressAndPort(address, scope: first).shortDescription == "fe80::53%eth0")
        let other = AddressAndPort(address, port: 54, scope: second)
        #expect(other.shortDescription == "[fe80::53%eth1]:54")
        let rules = upstreams.map {
            CompiledRule(ForwardRule(zone: .root, upstreams: [$0])).routeID
        }
        #expect(rules[0] != rules[1])
    }

    @Test func `a listener's own address on another interface is another server`() {
        let text = """
            listen: ["[fe80::2%eth0]:53"]
            forward: [{ zone: ".", to: ["fe80::2%eth1"] }]
            """
        #expect(check(text).isEmpty)
        #expect(check(text.replacing("eth1", with: "eth0")).count == 1)
    }

    private func check(_ text: String, system: String = "") -> [Diagnostic] {
        ConfigurationLoader(
            loader: TableLoader(files: ["zonal.yaml": Array(text.utf8)]),
            system: SystemResolvers(reading: system)
        ).check(path: "zonal.yaml")
    }

    // MARK: resolv.conf

    @Test func `resolv.conf gives interfaces by name and by number`() {
        let text =
            "\u{FEFF}nameserver fe80::1%eth0\nnameserver fe80::1%2\nnameserver 10.0.0.1%eth0\n"
        let system = SystemResolvers(reading: text)
        #expect(
            system.servers.map(\.shortDescription) == ["fe80::1%eth0", "fe80::1%2", "10.0.0.1"]
        )
        #expect(system.warning == nil)
    }

    @Test(arguments: ["fe80::1", "fe80::1%0"])
    func `a link-local server without an interface is skipped with one warning`(
        server: String
    ) {
        let system = "nameserver \(server)\nnameserver 192.0.2.1\n"
        let rules = "forward: [{ zone: \".\", to: [system] }, { zone: a.example, to: [system] }]\n"
        #expect(SystemResolvers(reading: system).servers.map(\.shortDescription) == ["192.0.2.1"])
        let found = check(rules, system: system)
        #expect(found.map(\.severity) == [.warning])
        #expect(found.first?.message.contains("fe80::1 without an interface") == true)
        #expect(check("forward: []\n", system: system).isEmpty)
    }
}
