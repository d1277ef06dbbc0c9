import TestSupport
import Testing

@testable import Control

@Suite struct `Secrets` {
    private static let secret = "00112233445566778899aabbccddeeff"
    private static let other = "c0ffee00c0ffee00c0ffee00c0ffee00"
    private static let phrase = "correct-horse-battery"

    /// Secrets at their keys, and in wrong places.
    static let shapes = [
        "cookies: { secrets: S }", "cookies: S", "cookies: [S]", "cookies: { S: x }",
        "cookies: { S }", "cookies: { secrets: { S: 1 } }", "cookies: { secrets: [[S]] }",
        "cookies: { secrets: [{ a: S }] }", "cookies: { secrets: [S, S, S] }",
        "cookies: { secrets: [Sx] }", "cookies: { secrets: [S], O: x }",
        "cookies: { secret: S }", "cookie: { secrets: [S] }", "secrets: [S]",
        "cookies: { secrets: [&a S] }\nworkers: *a", "workers: &a S\ncookies: { secrets: [*a] }",
        "cookies: { secrets: [&a S] }\ninclude: [*a]",
        "cookies: { secrets: &a [S] }\nlisten: *a",
        "cookies: { secrets: [&a S] }\nzones: [{ file: *a, vpcs: all }]",
        "cookies: { secrets: [S] }\nclients: { otherwise: S }",
        "cookies: { S: 1, S: 2 }", "cookies:\n  S: 1\n  S: 2", "cookies: { secrets: [S",
        "cookies: { secrets: [\"S", "cookies: { secrets: [\"S\\q\"] }", "cookies:\n\tsecrets: [S]",
        "cookies:\n  secrets: |\n    S", "cookies: { secrets: [*S] }", "admin: { tokens: [S] }",
        "cookies: { secrets: [S] }\ncookies: { secrets: [O] }",
        "cookies: { secrets: [O] }\ncookies: { secrets: [&a S] }\ninclude: [*a]",
        "cookies: { secrets: [O] }\ncookies: { secrets: [S] }\nclients: { otherwise: S }",
        "zones: [{ file: a.yaml, vpcs: all }]\ncookies: { secrets: [S] }",
        "{ workers: 2, zones: [{ file: a.yaml, vpcs: all }], cookies: { secrets: [S] } }",
        "zones: [{ file: a.zone, vpcs: all }]\ncookies:\n  secrets:\n  - S",
    ]

    private static func messages(_ text: String) -> [Diagnostic] {
        let files = ["a.yaml": text, "a.zone": "@ SOA a b 1 1 1 1 1\n$INCLUDE a.yaml\n"]
        let loader = TableLoader(files: files.mapValues { Array($0.utf8) })
        return ConfigurationLoader(loader: loader, system: SystemResolvers([]))
            .check(path: "a.yaml")
    }

    @Test(arguments: shapes, [secret, phrase])
    func `are in no message, whatever shape they have in the file`(shape: String, secret: String) {
        let text = shape.replacing("S", with: secret).replacing("O", with: Self.other)
        let messages = Self.messages(text)
        #expect(messages.contains { $0.severity == .error }, "\(messages)")
        for message in messages {
            #expect(!"\(message)".contains(secret.prefix(12)), "\(message)")
            #expect(!"\(message)".contains(Self.other.prefix(12)), "\(message)")
        }
    }

    @Test func `values that are not secrets are shown unchanged`() {
        let messages = Self.messages(
            "workers: manny\nlisten: 127.0.0.1:53\ncookies: { secrets: [] }"
        )
        #expect("\(messages)".contains("`manny`") && "\(messages)".contains("[127.0.0.1:53]"))
    }

    @Test func `that overlap are removed as one`() {
        var hidden = HiddenTexts()
        hidden.add(["abcdefgh12", "GH12345678", "abcdefgh", "short"])
        func shown(_ text: String) -> String {
            hidden.removed(from: Diagnostic(.error, at: SourcePlace(file: "a"), text)).message
        }
        #expect(shown("a ABCDEFGH12345678, short") == "a (not shown), short")
        #expect(shown("abcdefgh and abcdefgh1") == "(not shown) and (not shown)1")
        #expect(shown("abcdefghabcdefgh12") == "(not shown)(not shown)")
        #expect(shown("abcdefg h12345678") == "abcdefg h12345678")
    }

    // MARK: Who can read the file

    private struct SharedFiles: FileLoader {
        var table: TableLoader
        var permissions: [String: UInt32]

        func octets(of path: String) throws -> [UInt8] { try table.octets(of: path) }

        func permissions(of path: String) -> UInt32? { permissions[path] }
    }

    @Test(
        arguments: [
            (0o600, nil), (0o400, nil), (0o640, "its group"), (0o644, "everybody"),
            (0o604, "everybody"),
        ] as [(UInt32, String?)]
    )
    func `in a file that others can read are warned of, in included files too`(
        mode: UInt32,
        readers: String?
    ) {
        let files = [
            "a.yaml": "include: [b.yaml]\nforward: []\n",
            "b.yaml": "cookies: { secrets: [\(Self.secret)] }\n",
        ]
        let loader = SharedFiles(
            table: TableLoader(files: files.mapValues { Array($0.utf8) }),
            permissions: ["a.yaml": 0o644, "b.yaml": mode]
        )
        let found = ConfigurationLoader(loader: loader, system: SystemResolvers([]))
            .check(path: "a.yaml")
        let warnings = found.filter { $0.message.contains("holds secrets") }
        #expect(warnings.count == (readers == nil ? 0 : 1), "\(found)")
        guard let readers, let warning = warnings.first else { return }
        #expect(warning.severity == .warning && warning.place.file == "b.yaml")
        #expect(warning.message.contains("\(readers) can read it"))
        #expect(warning.message.hasSuffix("; chmod 600 b.yaml"))
    }

    // MARK: Other texts

    @Test func `in lines of a diff are left out, with their list below them`() {
        let lines = [
            "@@ -1,3 +1,4 @@", " vpcs:", "+    names: [\"secretsmanager.us-east-1.amazonaws.com\"]",
            "-cookies:", "-  secrets:", "-    - hunter2", "-token: abc", " x \(Self.secret)",
            "+v.secret AAAA 2001:db8::1",
        ]
        let shown = SecretText.redacted(diff: lines)
        #expect(!shown.joined().contains("hunter2") && !shown.joined().contains("abc"))
        #expect(!shown.joined().contains(Self.secret))
        #expect([0, 1, 2, 3, 8].allSatisfy { shown[$0] == lines[$0] })
    }
}
