import Control
import Snapshot
import TestSupport

/// Any octets as `zonal.yaml`, with a zone file beside it; it may include itself.
enum YAMLTarget {
    private static let zone = "$TTL 60\n@ SOA ns h 1 1h 15m 1w 60\n@ NS ns\nns A 10.20.1.53\n"

    static func run(_ input: [UInt8]) throws(BrokenProperty) {
        let loader = ConfigurationLoader(
            loader: TableLoader(files: ["zonal.yaml": input, "a.example.zone": Array(zone.utf8)]),
            system: SystemResolvers(reading: "nameserver 192.0.2.53")
        )
        try load(loader)
    }

    /// A configuration without errors can be served, `zonal check` finds errors in the same files,
    /// and messages are printable.
    static func load(_ loader: ConfigurationLoader) throws(BrokenProperty) {
        var diagnostics = Diagnostics()
        let read = loader.load(path: "zonal.yaml", diagnostics: &diagnostics)
        try require((read == nil) == diagnostics.hasErrors, "nothing read without an error")
        try ZoneTarget.check(diagnostics)
        var checked = Diagnostics()
        for diagnostic in loader.check(path: "zonal.yaml") { checked.add(diagnostic) }
        try require(checked.hasErrors == diagnostics.hasErrors, "the check finds other errors")
        try ZoneTarget.check(checked)
        guard let read else { return }
        _ = CompiledSnapshot(compiling: read.world, seed: FuzzWorld.seed)
    }
}
