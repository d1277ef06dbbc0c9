import Foundation
import TestSupport

/// The exports of any number of accounts, each with ten VPCs of ten interface endpoints in three
/// AZs.
///
/// Each account maps its AZ names in another order, as in AWS.
struct ManyAccounts {
    let count: Int

    static let vpcsPerAccount = 10
    static let endpointsPerVPC = 10
    private static let azs = ["use1-az1", "use1-az4", "use1-az6"]
    private static let names = ["us-east-1a", "us-east-1b", "us-east-1c"]

    var endpointCount: Int { count * Self.vpcsPerAccount * Self.endpointsPerVPC }

    /// Writes one folder per account below `exports`.
    func write(to folder: TemporaryFolder) throws {
        for account in 0..<count {
            let name = "exports/account-\(Self.identifier(of: account))"
            let vpcs = (0..<Self.vpcsPerAccount).map { account * Self.vpcsPerAccount + $0 }
            let files = [
                ("availability-zones", "AvailabilityZones", Self.azObjects(of: account)),
                ("vpcs", "Vpcs", vpcs.map { Self.vpcObject($0, of: account) }),
                ("subnets", "Subnets", vpcs.flatMap { Self.subnetObjects($0, of: account) }),
                ("network-interfaces", "NetworkInterfaces", vpcs.flatMap(Self.interfaceObjects)),
                (
                    "vpc-endpoints", "VpcEndpoints",
                    vpcs.flatMap { Self.endpointObjects($0, of: account) }
                ),
            ]
            for (file, key, objects) in files {
                try folder.write(
                    "{\"\(key)\":[\(objects.joined(separator: ",\n"))]}",
                    to: "\(name)/describe-\(file).json"
                )
            }
        }
    }

    private static func identifier(of account: Int) -> String { "\(100_000_000_000 + account)" }

    private static func hexadecimal(_ number: Int) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: 17 - text.count) + text
    }

    /// The first half of a VPC's /16.
    private static func prefix(_ vpc: Int) -> String { "\(20 + vpc / 256).\(vpc % 256)" }

    private static func azName(_ az: Int, of account: Int) -> String {
        names[(az + account) % names.count]
    }

    private static func azObjects(of account: Int) -> [String] {
        azs.indices.map {
            "{\"ZoneName\":\"\(azName($0, of: account))\",\"ZoneId\":\"\(azs[$0])\",\"RegionName\":\"us-east-1\"}"
        }
    }

    private static func vpcObject(_ vpc: Int, of account: Int) -> String {
        "{\"VpcId\":\"vpc-\(hexadecimal(vpc))\",\"OwnerId\":\"\(identifier(of: account))\",\"CidrBlock\":\"\(prefix(vpc)).0.0/16\"}"
    }

    private static func subnetObjects(_ vpc: Int, of account: Int) -> [String] {
        azs.indices.map { az in
            "{\"SubnetId\":\"subnet-\(hexadecimal(vpc * 3 + az))\",\"VpcId\":\"vpc-\(hexadecimal(vpc))\",\"OwnerId\":\"\(identifier(of: account))\",\"CidrBlock\":\"\(prefix(vpc)).\(az).0/24\",\"AvailabilityZone\":\"\(azName(az, of: account))\",\"AvailabilityZoneId\":\"\(azs[az])\"}"
        }
    }

    private static func interfaceObjects(_ vpc: Int) -> [String] {
        (0..<endpointsPerVPC).flatMap { endpoint in
            azs.indices.map { az in
                "{\"NetworkInterfaceId\":\"\(interface(vpc, endpoint, az))\",\"VpcId\":\"vpc-\(hexadecimal(vpc))\",\"SubnetId\":\"subnet-\(hexadecimal(vpc * 3 + az))\",\"PrivateIpAddress\":\"\(prefix(vpc)).\(az).\(10 + endpoint)\"}"
            }
        }
    }

    private static func interface(_ vpc: Int, _ endpoint: Int, _ az: Int) -> String {
        "eni-\(hexadecimal((vpc * endpointsPerVPC + endpoint) * 3 + az))"
    }

    private static func endpointObjects(_ vpc: Int, of account: Int) -> [String] {
        (0..<endpointsPerVPC).map { endpoint in
            let id = "vpce-\(hexadecimal(vpc * endpointsPerVPC + endpoint))"
            let service = "service\(endpoint)"
            let own = [""] + azs.indices.map { "-\(azName($0, of: account))" }
            let entries =
                own.map { "\(id)-abcdefgh\($0).\(service).us-east-1.vpce.amazonaws.com" }
                + ["\(service).us-east-1.amazonaws.com"]
            let names = entries.map { "{\"DnsName\":\"\($0)\",\"HostedZoneId\":\"Z1\"}" }
            let interfaces = azs.indices.map { "\"\(interface(vpc, endpoint, $0))\"" }
            return
                "{\"VpcEndpointId\":\"\(id)\",\"VpcEndpointType\":\"Interface\",\"VpcId\":\"vpc-\(hexadecimal(vpc))\",\"OwnerId\":\"\(identifier(of: account))\",\"ServiceName\":\"com.amazonaws.us-east-1.\(service)\",\"State\":\"available\",\"PrivateDnsEnabled\":true,\"NetworkInterfaceIds\":[\(interfaces.joined(separator: ","))],\"DnsEntries\":[\(names.joined(separator: ","))]}"
        }
    }
}
