import ArgumentParser
import Control
import DNSWire
import Snapshot

/// `zonal verify`: checks that the domain verification record of an endpoint service is in public
/// DNS.
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Looks up the TXT record that verifies an endpoint service's private DNS name.",
        discussion: "Exits 1 if the record is missing or has another value than AWS expects."
    )

    @OptionGroup var configuration: ConfigurationOption

    @Argument(help: "The private DNS name.")
    var name: String

    func run() throws {
        let world = try configuration.load().world
        guard let wanted = DomainName(name) else {
            throw ValidationError("'\(name)' is not a domain name")
        }
        let services = world.endpointServices.filter { $0.name == wanted }
        if services.isEmpty {
            Terminal.printError(
                "zonal: no endpoint service in the configuration has the private DNS name \(wanted)"
            )
            throw ExitCode(1)
        }
        let results = services.map { Self.verify($0, in: world) }
        if results.contains(false) { throw ExitCode(1) }
    }

    private static func verify(_ service: EndpointService, in world: World) -> Bool {
        Terminal.print(
            "\(service.name) is the private DNS name of \(service.service); AWS reports: \(service.verification ?? "nothing")"
        )
        guard let label = service.recordLabel, let value = service.recordValue else {
            Terminal.print("  the exports do not contain the verification record")
            return false
        }
        // A record at an ancestor verifies all names below it; top-level domains are not tried.
        var domain: DomainName? = service.name
        while let place = domain, place.labels.count > 1 {
            if let record = place.prepending(label: Array(label.utf8)),
                found(record, value, in: world)
            {
                return true
            }
            domain = place.parent
        }
        Terminal.print(
            "  no TXT record \(label) with \"\(value)\" at the name or its parents; add it"
        )
        return false
    }

    private static func found(_ record: DomainName, _ value: String, in world: World) -> Bool {
        let rule = world.rules.filter { $0.vpcs == nil && record.isInside($0.zone) }
            .max { $0.zone.labels.count < $1.zone.labels.count }
        guard let rule, let records = StubQuery(name: record, type: .txt).ask(rule.upstreams) else {
            Terminal.print("  \(record) TXT: no upstream answered")
            return false
        }
        let texts = records.map { String(decoding: Self.text(of: $0), as: UTF8.self) }
        for text in texts where text != value {
            Terminal.print("  \(record) TXT \"\(text)\" is not the expected value, \"\(value)\"")
        }
        guard texts.contains(value) else { return false }
        Terminal.print("  \(record) TXT \"\(value)\": verified")
        return true
    }

    /// Returns the character strings of TXT rdata, concatenated (RFC 1035 §3.3.14).
    private static func text(of rdata: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        var offset = 0
        while offset < rdata.count {
            let end = min(offset + 1 + Int(rdata[offset]), rdata.count)
            text += rdata[(offset + 1)..<max(end, offset + 1)]
            offset = end
        }
        return text
    }
}
