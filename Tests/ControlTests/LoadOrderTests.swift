import Control
import DNSWire
import Synchronization
import TestSupport
import Testing

@Suite struct `The order in which a configuration is loaded` {
    private final class Diary: Sendable {
        private let entries = Mutex<[String]>([])

        func note(_ entry: String) { entries.withLock { $0.append(entry) } }
        var all: [String] { entries.withLock { $0 } }
    }

    private struct NotingLoader: FileLoader {
        var table: TableLoader
        var diary: Diary

        func octets(of path: String) throws -> [UInt8] {
            diary.note(path)
            return try table.octets(of: path)
        }
    }

    private static func load(_ text: String) -> [String] {
        let diary = Diary()
        let files = [
            "zonal.yaml": text, "app.example.zone": "$TTL 60\n@ SOA ns h 1 1h 15m 1w 60\n",
        ]
        let table = TableLoader(files: files.mapValues { Array($0.utf8) })
        var diagnostics = Diagnostics()
        let configuration = ConfigurationLoader(
            loader: NotingLoader(table: table, diary: diary),
            system: SystemResolvers([])
        ).load(
            path: "zonal.yaml",
            diagnostics: &diagnostics,
            whenNetworkIsKnown: { found in
                diary.note(found.listeners.map { "listen \($0.port)" }.joined())
            }
        )
        if configuration == nil { diary.note("nothing") }
        return diary.all
    }

    private static let world = """
        forward: []
        accounts: [{ id: "111122223333" }]
        vpcs: [{ id: vpc-0a1, account: "111122223333", ranges: [127.20.0.0/16] }]
        zones: [{ file: app.example.zone, vpcs: all }]

        """

    @Test func `gives the listeners before a zone file is read`() {
        let order = Self.load("listen: [\"127.0.0.1:5399\"]\n" + Self.world)
        #expect(order == ["zonal.yaml", "listen 5399", "app.example.zone"])
    }

    @Test func `gives no listeners if they have an error, and reads the rest`() {
        let order = Self.load("listen: [\"127.0.0.1:99999\"]\n" + Self.world)
        #expect(order == ["zonal.yaml", "app.example.zone", "nothing"])
    }
}
