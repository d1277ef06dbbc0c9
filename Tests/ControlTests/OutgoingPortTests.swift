import DNSWire
import Snapshot
import TestSupport
import Testing

@testable import Control

@Suite struct `The ports that upstreams are asked from` {
    private static func load(
        _ text: String,
        reserved: String = ""
    ) -> (ports: PortSet?, found: [String]) {
        let loader = TableLoader(files: ["zonal.yaml": Array(text.utf8)])
        var diagnostics = Diagnostics()
        let configuration = ConfigurationLoader(
            loader: loader,
            system: SystemResolvers([]),
            reservedPorts: ReservedPorts.reading(Array(reserved.utf8))
        ).load(path: "zonal.yaml", diagnostics: &diagnostics)
        return (configuration?.world.outgoingPorts, diagnostics.all.map { "\($0)" })
    }

    @Test func `are all unprivileged ports, except those that the system reserves`() {
        let (ports, found) = Self.load("forward: []\n", reserved: "1024,5300-5302\n")
        #expect(found.isEmpty)
        #expect(ports?.count == 64_512 - 4)
        #expect(ports?.ports.first == 1025)
        #expect(ports.map { Set($0.ports).isDisjoint(with: 5300...5302) } == true)
    }

    @Test func `are those of the configuration, without duplicates`() {
        let (ports, found) = Self.load(
            "forward: []\noutgoing-ports: [20000-29999, 25000-30000, 30001]\n",
            reserved: "20000"
        )
        #expect(found.isEmpty)
        #expect(ports.map { $0.ports } == Array(20_001...30_001))
    }

    @Test(arguments: [
        ("53-1023", "ports below 1024"), ("2000-1000", "is not a range of ports"),
        ("1024-65536", "is not a range of ports"), ("1024-", "is not a range of ports"),
        ("all", "is not a range of ports"),
    ])
    func `are an error if they are invalid`(text: String, message: String) throws {
        let (ports, found) = Self.load("forward: []\noutgoing-ports: [\(text)]\n")
        #expect(ports == nil)
        #expect(found.contains { $0.hasPrefix("zonal.yaml:2:18: error: ") && $0.contains(message) })
    }

    @Test func `are an error if the system reserves them all, and a warning if few are left`() {
        let text = "forward: []\noutgoing-ports: [2000-2999]\n"
        let (none, error) = Self.load(text, reserved: "1500-3000")
        #expect(none == nil)
        #expect(error.contains { $0.contains("has no usable port") })
        let (few, warning) = Self.load(text)
        #expect(few?.count == 1000)
        #expect(warning.contains { $0.contains("warning: 1000 ports") })
    }

    @Test(
        arguments: [
            ("", []), ("\n", []), ("8080\n", [8080...8080]),
            ("8080,9000-9002\n", [8080...8080, 9000...9002]),
            ("x,5-3,70000,1-2", [1...2]),
        ] as [(String, [ClosedRange<UInt16>])]
    )
    func `are read from the system's list`(text: String, ranges: [ClosedRange<UInt16>]) {
        #expect(ReservedPorts.reading(Array(text.utf8)) == PortSet(ranges))
    }
}
