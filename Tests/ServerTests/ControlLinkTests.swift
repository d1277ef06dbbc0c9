import Foundation
import Glibc
import Server
import TestSupport
import Testing

/// The links to a control socket that a command trusts.
@Suite struct `A link to a control socket` {
    private static func folder() throws -> (folder: TemporaryFolder, link: String) {
        let folder = try TemporaryFolder(["socket": ""])
        try Command.run(["chmod", "700", folder.path])
        let link = folder.file("link")
        try FileManager.default.createSymbolicLink(
            atPath: link,
            withDestinationPath: folder.file("socket")
        )
        return (folder, link)
    }

    private static func fault(_ path: String, isRequired: Bool = false) -> String? {
        ControlTrust(ControlPlace(path: path, isRequired: isRequired)).linkFault
    }

    @Test func `is followed if it and what it leads to are the user's own, or nothing is there`()
        throws
    {
        let (folder, link) = try Self.folder()
        #expect(Self.fault(link) == nil)
        #expect(Self.fault(folder.file("socket")) == nil)
        try FileManager.default.removeItem(atPath: folder.file("socket"))
        #expect(Self.fault(link) == nil)
        #expect(Self.fault(folder.file("missing")) == nil)
    }

    @Test(.enabled(if: getuid() == 0), arguments: ["link", "socket"])
    func `is not followed if one of them is another user's`(name: String) throws {
        let (folder, link) = try Self.folder()
        try Command.run(["chown", "-h", "nobody", folder.file(name)])
        #expect(Self.fault(link)?.contains("who is not trusted") == true)
        // If a configuration names the path, the server's own user is checked.
        #expect(Self.fault(link, isRequired: true) == nil)
    }
}
