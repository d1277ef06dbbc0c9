import Control
import TestSupport

/// Any octets as an export of an AWS account.
enum AWSTarget {
    private static let configuration = """
        include: [aws/topology.yaml]
        forward: [{ zone: ".", to: [192.0.2.53] }]
        """

    /// Messages are printable, and the files written from an export without errors can be read,
    /// unless the export contradicts itself.
    static func run(_ input: [UInt8]) throws(BrokenProperty) {
        let exported = AWSImport(reading: ["111122223333/export.json": input])
        var diagnostics = Diagnostics()
        for diagnostic in exported.diagnostics { diagnostics.add(diagnostic) }
        try ZoneTarget.check(diagnostics)
        guard !diagnostics.hasErrors else { return }
        var files = ["zonal.yaml": Array(configuration.utf8)]
        for (path, text) in exported.files { files["aws/\(path)"] = Array(text.utf8) }
        let loader = ConfigurationLoader(
            loader: TableLoader(files: files),
            system: SystemResolvers([])
        )
        for diagnostic in loader.check(path: "zonal.yaml") where diagnostic.severity == .error {
            try require(Self.isContradiction(diagnostic), "written, but not read: \(diagnostic)")
        }
        try YAMLTarget.load(loader)
    }

    /// True if an error is about the contents of the export, such as an unknown AZ, and not about
    /// the written form.
    private static func isContradiction(_ error: Diagnostic) -> Bool {
        guard error.place.file.hasSuffix(".yaml") else {
            return error.message.contains("has no AZ")
        }
        return !["not YAML", "unknown key", "expected "].contains { error.message.hasPrefix($0) }
    }
}
