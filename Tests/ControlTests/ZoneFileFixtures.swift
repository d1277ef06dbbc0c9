import Control
import DNSWire
import Foundation
import Snapshot
import TestSupport

/// The zone files of `Tests/Fixtures/zones`, and functions to read them.
enum ZoneFileFixtures {
    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/zones")

    static let good = names(in: "good")
    static let bad = names(in: "bad")

    private static func names(in folder: String) -> [String] {
        let path = root.appending(path: folder).path
        let files = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return files.filter { $0.hasSuffix(".zone") }.sorted()
    }

    static func text(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: root.appending(path: path)), as: UTF8.self)
    }

    /// Returns the value of a comment of the form `; KEY: VALUE` in the file.
    static func note(_ key: String, in text: String) -> String? {
        for line in text.split(whereSeparator: \.isNewline) where line.hasPrefix("; \(key)") {
            let value = line.dropFirst(key.count + 2).drop { $0 == ":" || $0 == " " }
            return String(value)
        }
        return nil
    }

    /// Returns the apex of a fixture: `example.org.` unless a comment states another.
    static func apex(of text: String) throws -> DomainName {
        try name(note("zone", in: text) ?? "example.org.")
    }

    static func name(_ text: String) throws -> DomainName {
        guard let name = DomainName(text) else { throw Unreadable(text: text) }
        return name
    }

    struct Unreadable: Error { var text: String }

    /// Reads a fixture with its folder as current folder, so that messages have short paths.
    static func read(
        _ folder: String,
        _ name: String,
        apex: DomainName
    ) -> (zone: ZoneContents?, diagnostics: Diagnostics) {
        var diagnostics = Diagnostics()
        let loader = FolderLoader(folder: root.appending(path: folder).path)
        let reader = ZoneFileReader(loader: loader)
        let zone = reader.read(apex: apex, path: name, diagnostics: &diagnostics)
        return (zone, diagnostics)
    }

    /// Reads text as the zone file `test.zone` of `example.org.`, with further files in the same
    /// folder.
    static func read(
        _ text: String,
        files: [String: String] = [:]
    ) throws -> (zone: ZoneContents?, diagnostics: [Diagnostic]) {
        try read(octets: Array(text.utf8), files: files)
    }

    static func read(
        octets: [UInt8],
        files: [String: String] = [:]
    ) throws -> (zone: ZoneContents?, diagnostics: [Diagnostic]) {
        var table = files.mapValues { Array($0.utf8) }
        table["test.zone"] = octets
        var diagnostics = Diagnostics()
        let zone = ZoneFileReader(loader: TableLoader(files: table))
            .read(apex: try name("example.org."), path: "test.zone", diagnostics: &diagnostics)
        return (zone, diagnostics.all)
    }

    /// A valid beginning: SOA and NS in lines 1 to 3.
    static let head = """
        $TTL 3600
        @ SOA ns.example.net. hostmaster.example.net. 1 7200 3600 1209600 300
        @ NS ns.example.net.

        """

    /// Returns the printed lines of the records after `head`, with tabs as spaces.
    static func lines(of text: String, files: [String: String] = [:]) throws -> [String] {
        let (zone, diagnostics) = try read(head + text, files: files)
        guard let zone else { return diagnostics.map(\.description) }
        return ZonePrinter.lines(of: zone).dropFirst(2).map {
            $0.replacingOccurrences(of: "\t", with: " ")
        }
    }

    /// Returns the printed diagnostics of `head` and text.
    static func messages(of text: String, files: [String: String] = [:]) throws -> [String] {
        try read(head + text, files: files).diagnostics.map(\.description)
    }
}

/// Reads the files of one folder by their names.
struct FolderLoader: FileLoader {
    var folder: String

    func octets(of path: String) throws -> [UInt8] {
        try DiskFileLoader().octets(of: path.hasPrefix("/") ? path : "\(folder)/\(path)")
    }

    func resolved(_ path: String) throws -> String {
        try DiskFileLoader().resolved(path.hasPrefix("/") ? path : "\(folder)/\(path)")
    }
}

/// An external program to compare with.
struct ReferenceTool {
    var name: String

    static let ldns = ReferenceTool(name: "ldns-read-zone")
    static let bind = ReferenceTool(name: "named-checkzone")
    static let knot = ReferenceTool(name: "kzonecheck")

    private var path: String? {
        ["/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin"].map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    var isInstalled: Bool { path != nil }

    /// Runs the tool in `folder`; the status is 0 on success.
    func run(_ arguments: [String], in folder: String) throws -> (status: Int32, output: Data) {
        let process = Process()
        let output = Pipe()
        // No fixture takes a tool long.
        process.executableURL = URL(filePath: "/usr/bin/timeout")
        process.arguments = ["20", path ?? name] + arguments
        process.currentDirectoryURL = URL(filePath: folder)
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationReason == .exit ? process.terminationStatus : -1, data)
    }

    /// BIND options that disable checks which this reader does not have.
    static let bindOptions =
        ["-i", "none", "-k", "ignore", "-n", "ignore", "-m", "ignore", "-M", "ignore"]
        + ["-S", "ignore"]
}
