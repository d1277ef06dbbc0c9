import Foundation
import TestSupport

/// An export of one account and one VPC as JSON, which tests can change before it is written.
struct AWSExport {
    var azs: [[String: Any]] = [
        ["ZoneName": "us-east-1a", "ZoneId": "use1-az4", "RegionName": "us-east-1"],
        ["ZoneName": "us-east-1b", "ZoneId": "use1-az6", "RegionName": "us-east-1"],
    ]
    var vpcs: [[String: Any]] = [
        [
            "VpcId": "vpc-0a1", "OwnerId": "111122223333", "CidrBlock": "10.20.0.0/16",
            "CidrBlockAssociationSet": [
                ["CidrBlock": "10.20.0.0/16", "CidrBlockState": ["State": "associated"]]
            ],
        ]
    ]
    var subnets: [[String: Any]] = [
        subnet("subnet-0a1", "10.20.1.0/24", "us-east-1a", "use1-az4"),
        subnet("subnet-0a2", "10.20.2.0/24", "us-east-1b", "use1-az6"),
    ]
    var interfaces: [[String: Any]] = [
        interface("eni-1", "subnet-0a1", "10.20.1.10"),
        interface("eni-2", "subnet-0a2", "10.20.2.10"),
    ]
    var endpoints: [[String: Any]] = [endpoint("vpce-0a1", ["ssm.us-east-1.amazonaws.com"])]
    /// Further files by name.
    var files: [String: Any] = [:]

    static func subnet(_ id: String, _ range: String, _ name: String, _ azID: String) -> [String:
        Any]
    {
        [
            "SubnetId": id, "VpcId": "vpc-0a1", "OwnerId": "111122223333", "CidrBlock": range,
            "AvailabilityZone": name, "AvailabilityZoneId": azID,
        ]
    }

    static func interface(_ id: String, _ subnet: String, _ address: String) -> [String: Any] {
        [
            "NetworkInterfaceId": id, "VpcId": "vpc-0a1", "SubnetId": subnet,
            "PrivateIpAddress": address,
        ]
    }

    /// Adds an available interface endpoint with both interfaces: a regional name, two zonal names,
    /// and `names`.
    static func endpoint(_ id: String, _ names: [String]) -> [String: Any] {
        let own = ["", "-us-east-1a", "-us-east-1b"].map {
            "\(id)-abcdefgh\($0).ssm.us-east-1.vpce.amazonaws.com"
        }
        return [
            "VpcEndpointId": id, "VpcEndpointType": "Interface", "VpcId": "vpc-0a1",
            "OwnerId": "111122223333", "ServiceName": "com.amazonaws.us-east-1.ssm",
            "State": "available", "PrivateDnsEnabled": true,
            "NetworkInterfaceIds": ["eni-1", "eni-2"],
            "DnsEntries": (own + names).map { ["DnsName": $0, "HostedZoneId": "Z1"] },
        ]
    }

    func write(to folder: TemporaryFolder, at path: String = "export/account-111122223333") throws {
        var all = files
        all["describe-availability-zones"] = ["AvailabilityZones": azs]
        all["describe-vpcs"] = ["Vpcs": vpcs]
        all["describe-subnets"] = ["Subnets": subnets]
        all["describe-network-interfaces"] = ["NetworkInterfaces": interfaces]
        all["describe-vpc-endpoints"] = ["VpcEndpoints": endpoints]
        for (name, value) in all {
            let data = try JSONSerialization.data(withJSONObject: value)
            try folder.write(String(decoding: data, as: UTF8.self), to: "\(path)/\(name).json")
        }
    }

    /// Writes the export to its own folder, with a configuration that includes the imported files.
    func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder([
            "zonal.yaml":
                "include: [aws/topology.yaml]\nforward: [{ zone: \".\", to: [192.0.2.53] }]\n"
        ])
        try write(to: folder)
        return folder
    }
}

extension TemporaryFolder {
    @discardableResult
    func zonal(_ arguments: String...) throws -> Command.Result {
        try Command.run([Project.zonal] + arguments, in: path)
    }

    /// Imports `export` into `aws`.
    @discardableResult
    func importAWS(_ options: String...) throws -> Command.Result {
        try Command.run(
            [Project.zonal, "import", "aws", "export", "--into", "aws"] + options,
            in: path
        )
    }

    func text(_ name: String) -> String? {
        try? String(contentsOfFile: file(name), encoding: .utf8)
    }
}
