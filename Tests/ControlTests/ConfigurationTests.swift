import Control
import DNSWire
import Foundation
import Snapshot
import TestSupport
import Testing

@Suite struct `Configuration files` {
    private static let network = """
        accounts:
          - id: "111122223333"
            availability-zones: { us-east-1a: use1-az4 }
        vpcs:
          - { id: vpc-0a1, account: "111122223333", ranges: [10.20.0.0/16] }

        """

    private func load(
        _ text: String,
        system: String = "nameserver 192.0.2.53",
        listening: [AddressAndPort] = [],
        files: [String: String] = [:]
    ) -> (configuration: Configuration?, found: [String]) {
        var table = files.mapValues { Array($0.utf8) }
        table["zonal.yaml"] = Array(text.utf8)
        var diagnostics = Diagnostics()
        let configuration = ConfigurationLoader(
            loader: TableLoader(files: table),
            system: SystemResolvers(reading: system)
        )
        .load(path: "zonal.yaml", listening: listening, diagnostics: &diagnostics)
        return (configuration, diagnostics.all.map(\.message))
    }

    // MARK: Defaults

    @Test func `an empty file listens on loopback and uses the system's name servers`() throws {
        let configuration = try #require(load("").configuration)
        #expect(configuration.listeners.map(\.port) == [5300, 5300])
        #expect(configuration.listeners.map { "\($0.address)" } == ["127.0.0.1", "::1"])
        let rule = try #require(configuration.world.rules.first)
        #expect(rule.zone.isRoot)
        #expect(rule.upstreams.map { "\($0.address)" } == ["192.0.2.53"])
        #expect(configuration.workers == nil)
        #expect(configuration.cache.byteCount == 64 << 20)
        #expect(configuration.cache.maxTTL == 86_400)
    }

    @Test func `an empty list of rules forwards nothing`() throws {
        #expect(try #require(load("forward: []").configuration).world.rules.isEmpty)
    }

    @Test func `only refused clients have a rate limit by default`() throws {
        let plain = try #require(load("").configuration).world.rateLimit
        #expect(plain.responses == nil && plain.refusals == 10 && plain.slip == 2)
        let text = "rate-limit: { responses: 200, refusals: off, slip: 0, exempt: [10.9.0.0/16] }"
        let limit = try #require(load(text).configuration).world.rateLimit
        #expect(limit.responses == 200 && limit.refusals == nil && limit.slip == 0)
        #expect(limit.exempt.map { "\($0)" } == ["10.9.0.0/16"])
    }

    @Test func `attack 42: a rule that leads to a listener is an error`() {
        let text = """
            listen: ["127.0.0.1:5353"]
            forward: [{ zone: ".", to: ["127.0.0.1:5353"] }]
            """
        let result = load(text)
        #expect(result.configuration == nil)
        #expect(result.found.contains { $0.contains("is this server, which listens on") })
    }

    // MARK: The system's name servers

    @Test func `a resolv.conf without a name server gives a warning and no upstream`() {
        let (configuration, found) = load("", system: "# none\n")
        #expect(configuration?.world.rules[0].upstreams.isEmpty == true)
        #expect(found.count == 1 && found[0].contains("/etc/resolv.conf names no server"))
    }

    @Test func `the system's name servers are replaced in a rule, and the other upstreams stay`()
        throws
    {
        let text = "forward: [{ zone: \".\", to: [192.0.2.1, system, 192.0.2.53, 192.0.2.3] }]"
        let rule = try #require(load(text).configuration?.world.rules.first)
        func addresses(_ rule: ForwardRule) -> [String] { rule.upstreams.map { "\($0.address)" } }
        #expect(addresses(rule) == ["192.0.2.1", "192.0.2.53", "192.0.2.3"])
        let other = SystemResolvers(reading: "nameserver 192.0.2.3\nnameserver 192.0.2.9")
        let next = rule.withSystem(other.upstreams(besides: []))
        #expect(addresses(next) == ["192.0.2.1", "192.0.2.3", "192.0.2.9", "192.0.2.53"])
    }

    @Test
    func `name servers of resolv.conf keep their order, and invalid addresses are skipped`() {
        let text =
            "search example.org\nnameserver 192.0.2.2 \nnameserver x\nnameserver\t2001:db8::1"
        let addresses = SystemResolvers(reading: text).addresses.map { "\($0)" }
        #expect(addresses == ["192.0.2.2", "2001:db8::1"])
    }

    @Test(arguments: ["127.0.0.1:53", "0.0.0.0:53"])
    func `the system's name servers never include this server itself`(listener: String) throws {
        let system = "nameserver 127.0.0.1\nnameserver 192.0.2.53"
        let (configuration, found) = load("listen: [\"\(listener)\"]", system: system)
        #expect(configuration?.world.rules[0].upstreams.map { "\($0.address)" } == ["192.0.2.53"])
        #expect(found.isEmpty)
    }

    @Test func `a listener of the command line is not used as an upstream either`() throws {
        let listening = [try #require(AddressAndPort("127.0.0.1:53"))]
        let system = "nameserver 127.0.0.1\nnameserver 192.0.2.53"
        let (configuration, _) = load("", system: system, listening: listening)
        #expect(configuration?.world.rules[0].upstreams.map { "\($0.address)" } == ["192.0.2.53"])
        #expect(configuration?.listeners.map { "\($0.address):\($0.port)" } == ["127.0.0.1:53"])
    }

    @Test func `a resolv.conf that names only this server gives a warning`() {
        let (configuration, found) = load(
            "listen: [\"127.0.0.1:53\"]",
            system: "nameserver 127.0.0.1"
        )
        #expect(configuration?.world.rules[0].upstreams.isEmpty == true)
        #expect(found.count == 1 && found[0].contains("has no servers"))
    }

    // MARK: Listeners

    @Test func `a listener of the command line keeps the VPC that the file gives its address`()
        throws
    {
        let text = Self.network + "listen: [{ address: \"127.0.0.1:5399\", vpc: vpc-0a1 }]\n"
        let endpoint = try #require(AddressAndPort("127.0.0.1:5399"))
        #expect(load(text, listening: [endpoint]).configuration?.world.listeners[0].vpc == 0)
        let other = try #require(AddressAndPort("127.0.0.1:5398"))
        #expect(load(text, listening: [other]).configuration?.world.listeners == [ListenerScope()])
    }

    // MARK: Zones

    @Test func `a zone has the name of its SOA's owner`() throws {
        let soa = "SOA ns.example. h.example. 1 1h 15m 1w 60\n"
        let files = [
            "corp.example.zone": "$TTL 60\n@ \(soa)",
            "any.zone": "$TTL 60\n$ORIGIN Bank.example.\n@ \(soa)www A 10.20.1.1\n",
            "sub/other": "$TTL 60\ninside.example. \(soa)",
        ]
        let zones = files.keys.sorted().map { "  - { file: \($0), vpcs: all }\n" }.joined()
        let (configuration, found) = load(Self.network + "zones:\n" + zones, files: files)
        #expect(found.isEmpty)
        #expect(
            configuration?.world.zones.map { "\($0.apex)" }
                == ["Bank.example.", "corp.example.", "inside.example."]
        )
    }

    @Test func `AZ names in owners become AZ IDs at every level below the apex`() throws {
        let zone = """
            $TTL 60
            @ SOA ns.example. h.example. 1 1h 15m 1w 60
            Db-US-East-1A A 10.20.1.1
            *.x-us-east-1a A 10.20.1.2
            -us-east-1a A 10.20.1.3
            us-east-1a A 10.20.1.4
            web-1a A 10.20.1.5
            """
        let text =
            Self.network + "zones: [{ file: app.example.zone, vpcs: all, owner: \"111122223333\" }]"
        let (configuration, found) = load(text, files: ["app.example.zone": zone])
        #expect(found.isEmpty)
        let contents = try #require(configuration?.world.zones.first).contents
        #expect(
            contents.records.dropFirst().map { "\(contents.owner(of: $0))" } == [
                "db-use1-az4.app.example.", "*.x-use1-az4.app.example.", "-us-east-1a.app.example.",
                "us-east-1a.app.example.", "web-1a.app.example.",
            ]
        )
    }

    @Test func `vpcs: all includes the VPCs of later files`() throws {
        let (configuration, _) = load(
            "include: [zones.yaml]\n" + Self.network,
            files: [
                "zones.yaml": "zones: [{ file: app.example.zone, vpcs: all }]",
                "app.example.zone": "$TTL 60\n@ SOA ns.example. h.example. 1 1h 15m 1w 60\n",
            ]
        )
        #expect(configuration?.world.zones.first?.vpcs == [0])
    }

    // MARK: Hostile input

    @Test func `a configuration truncated at any octet is read or refused, and never traps`() {
        let text = Array(Self.sample)
        var (read, refused) = (0, 0)
        for length in 0...text.count {
            var diagnostics = Diagnostics()
            let configuration = ConfigurationLoader(
                loader: TableLoader(files: ["zonal.yaml": Array(text[..<length])]),
                system: SystemResolvers(reading: "")
            )
            .load(path: "zonal.yaml", diagnostics: &diagnostics)
            #expect((configuration == nil) == diagnostics.hasErrors, "\(length)")
            if configuration == nil { refused += 1 } else { read += 1 }
        }
        // The truncation leaves only the comment at the head; the zone files do not exist.
        #expect(read > 1 && refused > text.count / 2, "\(read) read, \(refused) refused")
    }

    @Test func `a configuration with changed octets is read or refused, and never traps`() {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<300 {
            var text = Self.sample
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let place = Int.random(in: 0..<text.count, using: &random)
                text[place] = UInt8.random(in: 0...255, using: &random)
            }
            var diagnostics = Diagnostics()
            let configuration = ConfigurationLoader(
                loader: TableLoader(files: ["zonal.yaml": text]),
                system: SystemResolvers(reading: "")
            )
            .load(path: "zonal.yaml", diagnostics: &diagnostics)
            #expect((configuration == nil) == diagnostics.hasErrors)
        }
    }

    @Test func `nested aliases are refused before they exhaust memory`() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...12 {
            let items = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(items)]\n"
        }
        #expect(load(text).configuration == nil)
    }

    @Test func `a thousand opening brackets are refused`() {
        #expect(load("listen: " + String(repeating: "[", count: 1000)).configuration == nil)
    }

    /// The configuration of the sample world without its zones.
    private static let sample: [UInt8] = {
        let path = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../zones/zonal.yaml").standardizedFileURL.path()
        return (try? DiskFileLoader().octets(of: path)) ?? Array(network.utf8)
    }()
}
