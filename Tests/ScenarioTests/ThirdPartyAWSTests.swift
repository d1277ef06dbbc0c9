import Foundation
import TestSupport
import Testing

/// Accounts from other software: moto's server, filled and read with the AWS CLI.
@Suite(.enabled(if: MotoServer.isInstalled, "needs moto and awscli in .build/python: make test"))
struct `Accounts in moto` {
    private struct Account {
        var id: String
        var vpc: String
        var endpoint: String
        /// The first two numbers of `RANGE`.
        var network: String
    }

    /// Makes an account with a VPC, two subnets, an interface endpoint in both and a gateway
    /// endpoint; exports it to `folder`.
    private static func make(_ id: String, _ network: String, _ moto: MotoServer) throws -> Account
    {
        let lines = try moto.run(
            """
            set -eu
            set -- $(aws sts assume-role --role-arn arn:aws:iam::\(id):role/tests --role-session-name tests \
                --query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]' --output text)
            export AWS_ACCESS_KEY_ID=$1 AWS_SECRET_ACCESS_KEY=$2 AWS_SESSION_TOKEN=$3
            vpc=$(aws ec2 create-vpc --cidr-block \(network).0.0/16 --query Vpc.VpcId --output text)
            subnet() {
                aws ec2 create-subnet --vpc-id $vpc --cidr-block $1 --availability-zone $2 \
                    --query Subnet.SubnetId --output text
            }
            one=$(subnet \(network).1.0/24 us-east-1a)
            other=$(subnet \(network).2.0/24 us-east-1b)
            aws ec2 modify-vpc-attribute --vpc-id $vpc --enable-dns-hostnames
            endpoint=$(aws ec2 create-vpc-endpoint --vpc-id $vpc --vpc-endpoint-type Interface \
                --service-name com.amazonaws.us-east-1.ssm --subnet-ids $one $other \
                --query VpcEndpoint.VpcEndpointId --output text)
            aws ec2 create-vpc-endpoint --vpc-id $vpc --service-name com.amazonaws.us-east-1.s3 >/dev/null
            sh export.sh exports >&2
            echo "$vpc $endpoint"
            """
        )
        let words = try #require(lines.last).split(separator: " ").map(String.init)
        try #require(words.count == 2)
        return Account(id: id, vpc: words[0], endpoint: words[1], network: network)
    }

    @Test func `are imported from what the printed script exports, and served`() throws {
        let moto = try MotoServer()
        let script = try moto.folder.zonal("import", "aws", "--print-script")
        try moto.folder.write(script.output, to: "export.sh")
        let accounts = [
            try Self.make("111122223333", "127.20", moto),
            try Self.make("444455556666", "127.30", moto),
        ]
        let imported = try moto.folder.zonal("import", "aws", "exports", "--into", "aws")
        #expect(imported.status == 0, "\(imported.complaints)")

        // Calls that moto lacks are reported and skipped.
        for account in accounts {
            let note =
                "note: \(account.endpoint): private DNS is on, but DnsEntries has no private name"
            #expect(imported.complaints.contains(note))
        }
        #expect(imported.complaints.contains("is outside its subnet"))
        #expect(imported.complaints.contains("is not in the usual form of AWS"))

        let upstream = try ScriptedUpstream { [Answer.address($0, [198, 51, 100, 80])] }
        let server = try ZonalServer(
            "include: [aws/topology.yaml]\nforward: [{ zone: \".\", to: [\"\(upstream.endpoint)\"] }]\n",
            beside: moto.folder
        )
        for account in accounts {
            let (name, addresses) = try moto.entry(of: account.endpoint, in: account.id)
            for other in accounts {
                let dig = try server.dig("\(other.network).1.7", name)
                let isOwn = other.id == account.id
                #expect(dig.data == (isOwn ? addresses : ["198.51.100.80"]), "\(dig.text)")
            }
            let dig = try server.dig("\(account.network).1.7", "ssm.us-east-1.amazonaws.com")
            #expect(dig.data == ["198.51.100.80"])
        }
        let coverage = try moto.folder.zonal("coverage", "--config", "zonal.yaml")
        #expect(
            coverage.lines.contains {
                $0.hasPrefix("s3.us-east-1.amazonaws.com.") && $0.hasSuffix("GATEWAY")
            }
        )
    }
}

/// An empty moto server, and a folder for its exports.
final class MotoServer {
    let folder: TemporaryFolder
    private let process: RunningProcess
    private let port: Substring

    private static let python = Project.path(".build/python/bin/python")

    static let isInstalled =
        (try? Command.run([python, "-c", "import moto.server, awscli"]).status) == 0

    init() throws {
        folder = try TemporaryFolder([
            "bin/aws": "#!/bin/sh\nexec \(Self.python) -m awscli \"$@\"\n"
        ])
        try Command.run(["chmod", "755", folder.file("bin/aws")])
        process = try RunningProcess([
            Self.python, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0",
        ])
        let log = try process.waitForOutput { $0.contains("Press CTRL+C") }
        let mark = try #require(log.firstRange(of: "Running on http://127.0.0.1:"))
        port = log[mark.upperBound...].prefix { $0.isNumber }
    }

    /// Runs a shell script in the folder, with `aws` pointing to moto; returns the printed lines.
    func run(_ script: String) throws -> [String] {
        let environment = [
            "PATH=\(folder.file("bin")):\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")",
            "AWS_ENDPOINT_URL=http://127.0.0.1:\(port)", "AWS_DEFAULT_REGION=us-east-1",
            "AWS_ACCESS_KEY_ID=testing", "AWS_SECRET_ACCESS_KEY=testing",
        ]
        let result = try Command.run(["env"] + environment + ["sh", "-c", script], in: folder.path)
        try #require(result.status == 0, "\(result.complaints)")
        return result.lines
    }

    /// Returns the one name of an endpoint in moto, and the sorted addresses of its network
    /// interfaces.
    func entry(of endpoint: String, in account: String) throws -> (
        name: String, addresses: [String]
    ) {
        let endpoints = try list("describe-vpc-endpoints", "VpcEndpoints", in: account)
        let found = try #require(endpoints.first { $0["VpcEndpointId"] as? String == endpoint })
        let entries = try #require(found["DnsEntries"] as? [[String: String]])
        let interfaces = try #require(found["NetworkInterfaceIds"] as? [String])
        let all = try list("describe-network-interfaces", "NetworkInterfaces", in: account)
        let own = all.filter { interfaces.contains($0["NetworkInterfaceId"] as? String ?? "") }
        let addresses = own.compactMap { $0["PrivateIpAddress"] as? String }
        return (try #require(entries.first?["DnsName"]), addresses.sorted())
    }

    private func list(_ file: String, _ key: String, in account: String) throws -> [[String: Any]] {
        let path = folder.file("exports/account-\(account)/\(file).json")
        let parsed = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: path)))
        return try #require((parsed as? [String: Any])?[key] as? [[String: Any]])
    }
}
