/// Converts exports of AWS accounts into `topology.yaml` and zone files.
package struct AWSImport {
    private let options: ImportOptions
    private let journal: ConfigurationJournal
    private let plan: ImportPlan

    /// Reads the JSON files below `folders` and resolves the references between them.
    ///
    /// Calls `progress` with the number of files read and the number of all files.
    package init(
        reading folders: [String],
        options: ImportOptions = ImportOptions(),
        progress: @escaping (_ done: Int, _ all: Int) -> Void = { _, _ in }
    ) {
        let journal = ConfigurationJournal()
        var reader = ExportReader(journal, progress: progress)
        reader.read(folders)
        self.init(of: reader.exports, options, journal)
    }

    /// Reads files from memory, given as octets by path.
    package init(reading files: [String: [UInt8]], options: ImportOptions = ImportOptions()) {
        let journal = ConfigurationJournal()
        var reader = ExportReader(journal, progress: { _, _ in })
        reader.read(files)
        self.init(of: reader.exports, options, journal)
    }

    private init(
        of exports: [String: AccountExport],
        _ options: ImportOptions,
        _ journal: ConfigurationJournal
    ) {
        self.options = options
        self.journal = journal
        plan = ImportPlanner.plan(Inventory(exports, journal), options, journal)
    }

    /// All errors and warnings about the exports.
    package var diagnostics: [Diagnostic] { journal.sorted }

    /// Remarks that require no action.
    package var notes: [String] { plan.notes }

    /// The numbers of objects that are written.
    package var counts: (accounts: Int, vpcs: Int, endpoints: Int, zones: Int) {
        (plan.accounts.count, plan.vpcs.count, plan.endpoints.count, plan.zones.count)
    }

    /// The changes that writing to `folder` makes or would make.
    package struct Outcome {
        /// The numbers of new, changed and removed files.
        package var summary: (new: Int, changed: Int, gone: Int)
        /// The changes as a unified diff; only `preview` fills it.
        package var diff: [String] = []
    }

    /// Replaces all files in one atomic step; an unchanged folder is not touched.
    package func write(to folder: String) throws(FileFault) -> Outcome {
        let tree = try tree(in: folder)
        let summary = tree.summary
        try tree.write { next throws(FileFault) in
            try GeneratedFileCheck(loader: DiskFileLoader(), folder: next).run(plan, options)
        }
        return Outcome(summary: summary)
    }

    /// Returns what `write` would change.
    package func preview(in folder: String) throws(FileFault) -> Outcome {
        let tree = try tree(in: folder)
        try GeneratedFileCheck(loader: GeneratedFiles(files: files, in: folder), folder: folder)
            .run(plan, options)
        return Outcome(summary: tree.summary, diff: tree.diff)
    }

    /// The generated files: text by path below the folder.
    package var files: [String: String] {
        var files = ["topology.yaml": TopologyText.text(of: plan, options)]
        for zone in plan.zones { files[zone.file] = ZoneText.text(of: zone) }
        return files
    }

    private func tree(in folder: String) throws(FileFault) -> OutputTree {
        let tree = try OutputTree(files, in: folder)
        if let obstacle = tree.obstacles.first {
            throw FileFault(
                description:
                    "\(folder)/\(obstacle) was not written by an import and is not overwritten; move it, or import into another folder"
            )
        }
        return tree
    }
}
