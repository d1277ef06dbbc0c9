public import ArgumentParser
import Control
import DNSWire
import Snapshot

/// `zonal import`: writes configuration files from the data of other systems.
struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Writes topology and zone files from the data of other systems.",
        subcommands: [ImportAWSCommand.self]
    )
}

/// `zonal import aws`: converts AWS CLI JSON into `topology.yaml` and zone files.
struct ImportAWSCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "aws",
        abstract: "Converts the output of `aws ec2 describe-*` into topology and zone files.",
        discussion: """
            Reads every .json file below the folders. The files of an account must be in a folder of their
            own, or have the account's ID in their names. On any error, writes nothing and exits 1.
            """
    )

    @Argument(help: ArgumentHelp("Folders with the JSON files.", valueName: "dir"))
    var folders: [String] = []

    @Option(
        help: ArgumentHelp(
            "The output folder; include its topology.yaml in zonal.yaml.",
            valueName: "dir"
        )
    )
    var into: String?

    @Option(help: "The affinity of the written zones: zonal, zonal-first or none.")
    var affinity = Zone.Affinity.zonal

    @Option(help: "Whose AZ names the zonal names use: owner or account.")
    var labels = Zone.Labels.owner

    @Option(
        help: ArgumentHelp(
            "A range of clients that use an inbound resolver endpoint of the VPC; may be repeated.",
            valueName: "vpc=range"
        )
    )
    var inbound: [InboundRange] = []

    @Flag(help: "Print the changes as a diff, and write nothing.")
    var dryRun = false

    @Flag(help: "Write the valid part of exports that have errors.")
    var keepGoing = false

    @Flag(help: "Print the script that exports the input from AWS.")
    var printScript = false

    func validate() throws {
        if printScript { return }
        if folders.isEmpty {
            throw ValidationError("no input; name the folders with the JSON files")
        }
        if into == nil { throw ValidationError("--into DIR is missing; name the output folder") }
    }

    func run() throws {
        guard !printScript, let into else { return Terminal.print(ExportScript.lines) }
        var options = ImportOptions()
        (options.affinity, options.labels) = (affinity, labels)
        for entry in inbound { options.inbound[entry.vpc, default: []].append(entry.range) }
        let progress = Progress("reading")
        let imported = AWSImport(reading: folders, options: options) { progress.show($0, of: $1) }
        progress.end()
        DiagnosticPrinter(format: .text).print(imported.diagnostics)
        for note in imported.notes { Terminal.printError("note: \(note)") }
        let hasErrors = imported.diagnostics.contains { $0.severity == .error }
        if hasErrors, !keepGoing {
            Terminal.printError(
                "zonal: nothing was written; correct the errors, or write the valid part with --keep-going"
            )
            throw ExitCode(1)
        }
        do throws(FileFault) {
            try finish(imported, into)
        } catch {
            Terminal.printError("zonal: \(error)")
            throw ExitCode(1)
        }
    }

    private func finish(_ imported: AWSImport, _ into: String) throws(FileFault) {
        let outcome = dryRun ? try imported.preview(in: into) : try imported.write(to: into)
        Terminal.print(outcome.diff)
        let (accounts, vpcs, endpoints, zones) = imported.counts
        let (new, changed, gone) = outcome.summary
        Terminal.printError(
            "\(into): \(accounts) accounts, \(vpcs) VPCs, \(endpoints) endpoints, \(zones) zones; \(new) files new, \(changed) changed, \(gone) removed\(dryRun ? " (dry run)" : "")"
        )
    }
}

extension Zone.Affinity: ExpressibleByArgument {}
extension Zone.Labels: ExpressibleByArgument {}

/// A VPC and a range: `vpc-0123=192.168.0.0/16`.
struct InboundRange: ExpressibleByArgument {
    let vpc: String
    let range: IPPrefix

    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, parts[0].hasPrefix("vpc-"), let range = IPPrefix(parts[1]) else {
            return nil
        }
        (self.vpc, self.range) = (String(parts[0]), range)
    }
}
