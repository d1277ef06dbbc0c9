import Control

/// Any octets as an export of an AWS account.
enum AWSTarget {
    private static let configuration = """
        include: [aws/topology.yaml]
        forward: [{ zone: ".", to: [192.0.2.53] }]
        """

    /// Messages are for people, and what is written from an export without an error can be read, if it
    /// contradicts itself as the export did.
    static func run(_ input: [UInt8]) throws(BrokenProperty) {
        let exported = AWSImport(reading: ["111122223333/export.json": input])
        var diagnostics = Diagnostics()
        for diagnostic in exported.diagnostics { diagnostics.add(diagnostic) }
        try ZoneTarget.check(diagnostics)
        guard !diagnostics.hasErrors else { return }
        var files = ["zonal.yaml": Array(configuration.utf8)]
        for (path, text) in exported.files { files["aws/\(path)"] = Array(text.utf8) }
        let loader = ConfigurationLoader(
            loader: MemoryFiles(files),
            system: SystemResolvers([])
        )
        for diagnostic in loader.check(path: "zonal.yaml") where diagnostic.severity == .error {
            let isContradiction = Self.contradictions.contains { diagnostic.message.contains($0) }
            try require(isContradiction, "what was imported can't be read: \(diagnostic)")
        }
        try YAMLTarget.load(loader)
    }

    private static let contradictions = ["lies outside its VPC"]
}
