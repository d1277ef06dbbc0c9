package import DNSWire
package import Snapshot

/// Lints one zone without a configuration.
package enum SingleZoneLint {
    /// Warns of alias loops inside the zone and of missing glue.
    package static func warnings(
        in contents: ZoneContents,
        apex: DomainName,
        loader: any FileLoader = DiskFileLoader()
    ) -> [Diagnostic] {
        let journal = ConfigurationJournal()
        var configuration = Configuration()
        let everybody = IPPrefix(IPAddress(v4: 0), length: 96)
        configuration.world.accounts = [Account(id: "")]
        configuration.world.vpcs = [VPC(id: "", account: 0, ranges: [everybody])]
        configuration.world.zones = [Zone(apex: apex, contents: contents, vpcs: [0])]
        Lint(configuration, isWhole: true, loader: loader, journal).checkInside()
        return journal.sorted
    }
}
