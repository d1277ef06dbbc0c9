import Foundation
import TestSupport
import Testing

/// What an import preserves in its output folder.
@Suite struct `An import into a folder with other files` {
    /// The kind, mode, owner and inode of the file at a path; links are not followed.
    private struct Status: Equatable, CustomStringConvertible {
        var description: String

        init?(_ path: String, format: String = "%F %a %u:%g %i %N") throws {
            let result = try Command.run(["stat", "-c", format, path])
            guard result.status == 0 else { return nil }
            description = result.output
        }
    }

    private func imported() throws -> (folder: TemporaryFolder, export: AWSExport) {
        let export = AWSExport()
        let folder = try export.folder()
        #expect(try folder.importAWS().status == 0)
        return (folder, export)
    }

    /// Imports again, with another address.
    private func importAnew(_ folder: TemporaryFolder, _ export: AWSExport) throws
        -> Command.Result
    {
        var export = export
        export.interfaces[0]["PrivateIpAddress"] = "10.20.1.11"
        try export.write(to: folder)
        return try folder.importAWS()
    }

    private func shell(_ script: String, in folder: TemporaryFolder) throws {
        let result = try Command.run(["bash", "-ec", script], in: folder.path)
        try #require(result.status == 0, "\(result.complaints)")
    }

    @Test func `keeps files, links, pipes, sockets and empty folders as they are`() throws {
        let (folder, export) = try imported()
        try shell(
            """
            cd aws; echo mine > notes; chmod 640 notes; ln notes second; ln -s notes link
            ln -s /nowhere dangling; ln -s loop loop; ln -s /etc out; mkfifo pipe vpc-0a1/pipe.zone
            mkdir -p empty/deep; chmod 1770 empty; mkdir .hidden; echo x > .hidden/x
            python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
            truncate -s 3G large; cp topology.yaml topology.yaml.bak; echo x > $'new\\nline'
            echo x > $'\\xff\\xfe'; mkdir copy; cp topology.yaml copy
            """,
            in: folder
        )
        let names = [
            "notes", "second", "link", "dangling", "loop", "out", "pipe", "vpc-0a1/pipe.zone",
            ".hidden/x", "socket", "large", "topology.yaml.bak", "new\nline", "copy/topology.yaml",
        ]
        let before = try names.map { try Status(folder.file("aws/\($0)")) }
        #expect(!before.contains(nil))
        let folders = try ["aws/empty", "aws/empty/deep"].map {
            try Status(folder.file($0), format: "%F %a %u:%g")
        }
        #expect(try importAnew(folder, export).status == 0)
        #expect(folder.text(ImportedFile.private1)?.contains("10.20.1.11") == true)
        #expect(try names.map { try Status(folder.file("aws/\($0)")) } == before)
        #expect(
            try ["aws/empty", "aws/empty/deep"].map {
                try Status(folder.file($0), format: "%F %a %u:%g")
            } == folders
        )
        try shell(
            "cmp aws/$'\\xff\\xfe' <(echo x); test -z \"$(ls -d aws.next* || true)\"",
            in: folder
        )
    }

    @Test func `keeps modes of its own files and folders, and gives new ones what umask leaves`()
        throws
    {
        let (folder, export) = try imported()
        let modes = try Command.run(
            ["stat", "-c", "%a", "aws", "aws/topology.yaml", "aws/vpc-0a1"],
            in: folder.path
        )
        #expect(modes.output == "755\n644\n755\n")
        try shell(
            "chmod 2750 aws; chmod 700 aws/vpc-0a1; chmod 600 \(ImportedFile.private1)",
            in: folder
        )
        #expect(try importAnew(folder, export).status == 0)
        let after = try Command.run(
            ["stat", "-c", "%a", "aws", "aws/vpc-0a1", ImportedFile.private1],
            in: folder.path
        )
        #expect(after.output == "2750\n700\n600\n")
        let umask =
            "umask 077; \(Project.zonal) import aws export --into own && stat -c %a own own/*"
        let own = try Command.run(["sh", "-c", umask], in: folder.path)
        #expect(own.output == "700\n600\n700\n")
    }

    @Test(.enabled(if: getuid() == 0, "needs root, to give files away and to make devices"))
    func `keeps owners and devices, and opens none`() throws {
        let (folder, export) = try imported()
        try shell(
            """
            chown 65534:65534 aws aws/vpc-0a1 \(ImportedFile.private1)
            mknod aws/tape c 9 0; mknod aws/null c 1 3; chown 65534 aws/null
            """,
            in: folder
        )
        let devices = try ["tape", "null"].map { try Status(folder.file("aws/\($0)")) }
        #expect(try importAnew(folder, export).status == 0)
        let owners = try Command.run(
            ["stat", "-c", "%u:%g", "aws", "aws/vpc-0a1", ImportedFile.private1],
            in: folder.path
        )
        #expect(owners.output == "65534:65534\n65534:65534\n65534:65534\n")
        #expect(try ["tape", "null"].map { try Status(folder.file("aws/\($0)")) } == devices)
    }

    @Test(arguments: [
        "rm aws/topology.yaml; mkfifo aws/topology.yaml",
        "mv aws/topology.yaml aws/t; ln -s t aws/topology.yaml",
        "rm aws/topology.yaml; ln -s /nowhere aws/topology.yaml",
        "rm aws/topology.yaml; mkdir aws/topology.yaml",
        "mv aws/vpc-0a1 aws/v; ln -s v aws/vpc-0a1", "rm -r aws/vpc-0a1; mkfifo aws/vpc-0a1",
        "rm -r aws/vpc-0a1; echo mine > aws/vpc-0a1",
    ])
    func `changes nothing if something of somebody's stands where it would write`(script: String)
        throws
    {
        let (folder, export) = try imported()
        try shell(script, in: folder)
        let listing = ["bash", "-c", "ls -lRi --time-style=full-iso aws; ls -d aws*"]
        let before = try Command.run(listing, in: folder.path).output
        let result = try importAnew(folder, export)
        #expect(result.status == 1)
        #expect(result.complaints.contains("is not overwritten"), "\(result.complaints)")
        #expect(try Command.run(listing, in: folder.path).output == before)
    }

    @Test func `removes a folder only if it contained nothing but generated files`() throws {
        var (folder, export) = try imported()
        try shell("mkdir aws/vpc-0b1; chmod 700 aws/vpc-0a1", in: folder)
        let endpoints = export.endpoints
        export.endpoints = []
        try export.write(to: folder)
        #expect(try folder.importAWS().status == 0)
        #expect(try Status(folder.file("aws/vpc-0a1")) == nil)
        #expect(try Status(folder.file("aws/vpc-0b1")) != nil)
        export.endpoints = endpoints
        try export.write(to: folder)
        try folder.importAWS()
        try folder.write("mine", to: "aws/vpc-0a1/notes")
        export.endpoints = []
        try export.write(to: folder)
        #expect(try folder.importAWS().status == 0)
        #expect(folder.text("aws/vpc-0a1/notes") == "mine")
    }
}

/// The output folder of an import of `AWSExport`.
enum ImportedFile {
    static let private1 = "aws/vpc-0a1/ssm.us-east-1.amazonaws.com.zone"
}
