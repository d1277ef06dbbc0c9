import Snapshot
import Testing

@Suite struct `AZ names of an account` {
    private static let names = AZNames([
        "us-east-1a": "use1-az4", "us-east-1b": "use1-az6", "us-west-2-lax-1a": "usw2-lax1-az1",
    ])

    private static func text(_ label: [UInt8]?) -> String? {
        label.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func `AZ names and AZ IDs map to each other`() {
        for name in Self.names.names {
            #expect(Self.names.id(of: name).flatMap(Self.names.name) == name)
        }
        #expect(Self.names.id(of: "us-east-1c") == nil && Self.names.name(of: "use1-az1") == nil)
    }

    @Test(arguments: [
        ("db-us-east-1a", "db-use1-az4"), ("DB-US-East-1B", "db-use1-az6"),
        ("a-b-us-west-2-lax-1a", "a-b-usw2-lax1-az1"),
    ])
    func `labels translate between AZ names and AZ IDs`(name: String, id: String) {
        #expect(Self.text(Self.names.labelWithID(name.utf8)) == id)
        #expect(Self.text(Self.names.labelWithName(id.utf8)) == name.lowercased())
    }

    @Test(arguments: ["us-east-1a", "-us-east-1a", "dbus-east-1a-", "db-us-east-1c", "db", "-", ""])
    func `a label without an AZ name after a hyphen and another octet is not translated`(
        label: String
    ) {
        #expect(Self.names.labelWithID(label.utf8) == nil)
    }

    @Test func `of two AZ names at the end of a label, the longer one is used`() {
        let names = AZNames(["east-1a": "use1-az9", "us-east-1a": "use1-az4"])
        #expect(Self.text(names.labelWithID("db-us-east-1a".utf8)) == "db-use1-az4")
        #expect(Self.text(names.labelWithID("us-east-1a".utf8)) == "us-use1-az9")
    }
}
