import Foundation
import TestSupport
import Testing

@Suite struct `Commands` {
    private func zonal(_ arguments: String...) throws -> Command.Result {
        try Command.run([Project.zonal] + arguments, in: Project.path(""))
    }

    @Test(arguments: ["zones/zonal.yaml", "zones/netns.yaml"])
    func `the sample worlds pass the check`(path: String) throws {
        let result = try zonal("check", "--config", path)
        #expect(result.status == 0)
        #expect(result.output == "\(path): no errors, 1 warning\n")
        #expect(result.complaints.contains("warning: us-east-1.vpce.amazonaws.com. translates"))
    }

    @Test func `check prints JSON for programs`() throws {
        let folder = try TemporaryFolder(["bad.yaml": "wokers: 2\n"])
        let result = try zonal("check", "--config", folder.file("bad.yaml"), "--format", "json")
        #expect(result.status == 1)
        let parsed = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
        let list = try #require(parsed as? [[String: Any]])
        #expect(list.count == 1)
        #expect(list[0]["severity"] as? String == "error")
        #expect(list[0]["line"] as? Int == 1)
        #expect((list[0]["message"] as? String)?.contains("workers") == true)
    }

    @Test func `check reads one zone file by itself and prints what ldns-read-zone prints`() throws
    {
        let file = "zones/internal.example.zone"
        let ours = try zonal("check", "--zone", "internal.example", file, "--print")
        #expect(ours.status == 0)
        #expect(
            ours.lines.contains {
                $0.hasPrefix("db-use1-az4.internal.example.\t300\tIN\tA\t127.20.1.30")
            }
        )
        let folder = try TemporaryFolder(["printed": ours.output])
        let theirs = try Command.run(["ldns-read-zone", folder.file("printed")])
        #expect(theirs.status == 0, "\(theirs.complaints)")
        #expect(Set(theirs.lines) == Set(ours.lines))
        try folder.write("$ORIGIN internal.example.\n@ SOA ns hostmaster 1 1 1 1 1\n", to: "zone")
        let bad = try zonal("check", "--zone", "other.example", folder.file("zone"))
        #expect(bad.status == 1)
        #expect(bad.complaints.contains("zone:2:1: error: "), "\(bad.complaints)")
    }

    @Test func `explain prints the documented JSON`() throws {
        let result = try zonal(
            "explain",
            "--from",
            "127.20.1.7",
            "--format",
            "json",
            "ssm.us-east-1.amazonaws.com"
        )
        #expect(result.status == 0)
        let parsed = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
        let object = try #require(parsed as? [String: Any])
        let client = try #require(object["client"] as? [String: String])
        #expect(
            client == [
                "address": "127.20.1.7", "scope": "vpc", "vpc": "vpc-0a11111111111111a",
                "account": "111122223333", "subnet": "subnet-0a1", "az-id": "use1-az4",
                "az-name": "us-east-1a",
            ]
        )
        let route = try #require(object["route"] as? [String: Any])
        #expect(route["kind"] as? String == "private")
        #expect(route["zone"] as? String == "ssm.us-east-1.amazonaws.com.")
        #expect(route["file"] as? String == "zones/ssm.us-east-1.amazonaws.com.zone")
        #expect(object["rcode"] as? String == "NOERROR")
        let answers = try #require(object["answers"] as? [[String: Any]])
        #expect(answers.map { $0["data"] as? String } == ["127.20.1.10", "127.20.2.10"])
        #expect(answers.map { $0["chosen"] as? Bool } == [true, false])
        #expect(answers.map { $0["reason"] as? String } == ["same zone", "other zone"])
        #expect(answers.map { $0["az-id"] as? String } == ["use1-az4", "use1-az6"])
    }

    @Test(arguments: [
        ("127.30.1.7", "forward", "vpc"), ("127.0.0.1", "forward", "outside"),
        ("127.99.0.1", "refused", "refused"), ("127.192.0.9", "private", "inbound"),
    ])
    func `explain knows every kind of client`(source: String, kind: String, scope: String) throws {
        let result = try zonal(
            "explain",
            "--from",
            source,
            "--format",
            "json",
            "ssm.us-east-1.amazonaws.com"
        )
        #expect(result.output.contains("\"kind\":\"\(kind)\""))
        #expect(result.output.contains("\"scope\":\"\(scope)\""))
        #expect(kind != "forward" || result.output.contains("\"to\":["))
    }

    @Test func `explain shows a zone with outside: nxdomain as refused`() throws {
        let name = "www.internal.example"
        let result = try zonal("explain", "--from", "127.0.0.1", "--format", "json", name)
        let route = "\"route\":{\"kind\":\"refused\",\"zone\":\"internal.example.\"}"
        #expect(result.output.contains(route), "\(result.output)")
        #expect(result.output.contains("\"rcode\":\"NXDOMAIN\""))
    }

    @Test func `explain shows a DNAME and the CNAME synthesized from it`() throws {
        let result = try zonal("explain", "--from", "127.20.1.7", "x.old.internal.example")
        #expect(result.output.contains("+ old.internal.example. 300 DNAME apps.internal.example."))
        #expect(
            result.output.contains(
                "+ x.old.internal.example. 300 CNAME x.apps.internal.example.   ; synthesized from the DNAME"
            ),
            "\(result.output)"
        )
    }

    @Test func `az prints each account's names of AZs`() throws {
        let result = try zonal("az")
        #expect(
            result.output == """
                AZ ID     111122223333 (payments)  444455556666 (analytics)
                use1-az4  us-east-1a               us-east-1b
                use1-az6  us-east-1b               us-east-1a

                """
        )
        #expect(try zonal("az", "--format", "json").output.contains("\"az-id\":\"use1-az4\""))
    }

    @Test func `coverage prints how each VPC reaches each service`() throws {
        let result = try zonal("coverage")
        #expect(
            result.lines.contains("ssm.us-east-1.amazonaws.com.   PRIVATE 2/2            PUBLIC")
        )
        let json = try zonal("coverage", "--format", "json").output
        #expect(json.contains("{\"vpc\":\"vpc-0b22222222222222b\",\"state\":\"PUBLIC\"}"))
    }

    @Test func `without a configuration every command says which file is missing`() throws {
        let folder = try TemporaryFolder()
        for command in ["check", "az", "coverage", "serve"] {
            let result = try Command.run([Project.zonal, command], in: folder.path)
            #expect(result.status == 1, "\(command)")
            #expect(result.complaints.contains("zones/zonal.yaml"), "\(command)")
        }
    }
}
