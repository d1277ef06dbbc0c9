import Foundation
import TestSupport
import Testing

/// Exports whose texts would have another meaning in a generated file.
@Suite struct `Imports of hostile exports` {
    private static let texts = [
        "*.x", "@", "$INCLUDE /etc/passwd", "a b", "x;y", "(", "a\nb: c", "a\u{2028}b: c",
        "a\u{85}b: c", "\u{FEFF}a", "\u{202E}a", "a\": 1, \"b", "../../x", "{a: b}", "\u{1B}[2J",
        "- a", "#", "é",
    ]

    /// The members that are written to files, each as a change of the export.
    private static let members: [(String, @Sendable (inout AWSExport, String) -> Void)] = [
        ("OwnerId", { $0.vpcs[0]["OwnerId"] = $1 }), ("OwnerId", { $0.subnets[0]["OwnerId"] = $1 }),
        ("OwnerId", { $0.endpoints[0]["OwnerId"] = $1 }), ("VpcId", { $0.vpcs[0]["VpcId"] = $1 }),
        ("SubnetId", { $0.subnets[0]["SubnetId"] = $1 }),
        ("AvailabilityZoneId", { $0.subnets[0]["AvailabilityZoneId"] = $1 }),
        ("ZoneName", { $0.azs[0]["ZoneName"] = $1 }), ("ZoneId", { $0.azs[0]["ZoneId"] = $1 }),
        ("RegionName", { $0.azs[0]["RegionName"] = $1 }),
        ("VpcEndpointId", { $0.endpoints[0]["VpcEndpointId"] = $1 }),
        ("ServiceName", { $0.endpoints[0]["ServiceName"] = $1 }),
        ("RouteTableIds", { $0.endpoints[0]["RouteTableIds"] = [$1] }),
        ("DnsName", { $0.endpoints[0]["DnsEntries"] = [["DnsName": $1]] }),
        ("PrefixListId", { $0.files["lists"] = ["PrefixLists": [["PrefixListId": $1]]] }),
        (
            "PrivateDnsNameConfiguration",
            {
                $0.files["services"] = [
                    "ServiceConfigurations": [
                        [
                            "ServiceName": "com.amazonaws.vpce.us-east-1.vpce-svc-1",
                            "PrivateDnsName": "api.example.com",
                            "PrivateDnsNameConfiguration": ["Name": $1, "Value": "v"],
                        ]
                    ]
                ]
            }
        ),
        (
            "PrivateDnsName",
            {
                $0.files["services"] = [
                    "ServiceConfigurations": [
                        [
                            "ServiceName": "com.amazonaws.vpce.us-east-1.vpce-svc-1",
                            "PrivateDnsName": $1,
                        ]
                    ]
                ]
            }
        ),
    ]

    @Test(arguments: members.indices)
    func `attack 60: a text that has not the form of its member is an error, and nothing written`(
        index: Int
    ) throws {
        let (member, change) = Self.members[index]
        // `*.x` is a valid name in AWS.
        for text in Self.texts where text != "*.x" || !member.hasSuffix("DnsName") {
            var export = AWSExport()
            change(&export, text)
            let folder = try export.folder()
            let result = try folder.importAWS()
            #expect(result.status == 1, "\(member) \(text)")
            let errors = result.complaints.split(separator: "\n").filter {
                $0.contains(".json: error: ")
            }
            #expect(errors.contains { $0.contains(member) }, "\(result.complaints)")
            #expect(folder.text("aws/topology.yaml") == nil)
        }
    }

    @Test(arguments: texts)
    func `attack 60: whatever the name of a VPC, it changes nothing but a comment`(text: String)
        throws
    {
        var export = AWSExport()
        let plain = try export.folder()
        try plain.importAWS()
        export.vpcs[0]["Tags"] = [["Key": "Name", "Value": text]]
        let folder = try export.folder()
        #expect(try folder.importAWS().status == 0)
        let topology = try #require(folder.text("aws/topology.yaml"))
        #expect(topology.utf8.allSatisfy { $0 == 0x0A || (0x20...0x7E).contains($0) })
        let withoutComment = topology.replacing(/[ ]{4}#[^\n]*/, with: "")
        #expect(withoutComment == plain.text("aws/topology.yaml"))
    }

    @Test func `attack 60: of an account that no path names, the owner's ID must be one`() throws {
        var export = AWSExport()
        for text in ["111122223333\"\n    name: x", "x", "11112222333", "１１１１２２２２３３３３"] {
            export.endpoints[0]["OwnerId"] = text
            let folder = try TemporaryFolder()
            try export.write(to: folder, at: "export/mine")
            let result = try folder.importAWS()
            #expect(result.status == 1 && result.complaints.contains("OwnerId: `"))
            #expect(folder.text("aws/topology.yaml") == nil)
        }
    }
}
