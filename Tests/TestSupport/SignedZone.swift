import Foundation

/// A zone signed by the tools of Knot DNS with a new key.
package struct SignedZone: Sendable {
    /// The signed master file.
    package let text: String
    /// The key's DS record, for validators.
    package let delegationSigner: String

    package enum Proofs: Sendable { case nsec, nsec3 }

    /// Signs the master file `text` of the zone `name`.
    package init(_ name: String, _ text: String, proofs: Proofs) throws {
        let file = name == "." ? "root.zone" : "\(name).zone"
        let folder = try TemporaryFolder([file: text, "signed/keep": ""])
        let configuration = """
            database:
              storage: "\(folder.path)"
            policy:
              - id: policy
                algorithm: ECDSAP256SHA256
                single-type-signing: on
                nsec3: \(proofs == .nsec3 ? "on" : "off")
            zone:
              - domain: \(name)
                storage: "\(folder.path)"
                file: "\(file)"
                journal-content: none
                dnssec-signing: on
                dnssec-policy: policy
            """
        try folder.write(configuration, to: "knot.conf")
        _ = try Self.run(["kzonesign", "-c", "knot.conf", "-o", "signed", name], in: folder)
        let keys = try Self.run(["keymgr", "-c", "knot.conf", name, "ds"], in: folder)
        // There are DS records with several digests; number 2 is SHA-256.
        guard let record = keys.split(separator: "\n").first(where: { $0.contains(" 13 2 ") })
        else { throw RunningProcess.Impatience(description: "no DS in: \(keys)") }
        self.text = try String(contentsOfFile: folder.file("signed/\(file)"), encoding: .utf8)
        delegationSigner = String(record).replacing(" DS ", with: " IN DS ")
    }

    private static func run(_ command: [String], in folder: TemporaryFolder) throws -> String {
        let result = try Command.run(command, in: folder.path)
        guard result.status == 0 else {
            throw RunningProcess.Impatience(description: "\(command[0]): \(result.complaints)")
        }
        return result.output
    }
}
