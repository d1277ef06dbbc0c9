import TestSupport
import Testing

/// How C libraries handle a name with more addresses than fit into a datagram.
@Suite(
    .serialized,
    .enabled(if: NetworkNamespaces.arePossible, "needs root, iproute2 and network namespaces"),
    .stubLab
)
struct `Stub resolvers` {
    @Test(arguments: ["many", "www", "far"])
    func `of glibc find an address of a name with 100 of them`(name: String) throws {
        let lab = try #require(StubLab.current)
        let found = try lab.run("getent", "ahostsv4", "\(name).internal.example")
        #expect(found.status == 0 && !found.lines.isEmpty, "\(found)")
        #expect(found.lines.allSatisfy { $0.hasPrefix("10.20.") || $0.hasPrefix("198.51.100.") })
    }

    @Test(
        .enabled(if: MuslProgram.isPossible, "needs musl-gcc, of the package musl-tools"),
        arguments: ["many", "www", "far"]
    )
    func `of musl find an address of a name with 100 of them`(name: String) throws {
        let lab = try #require(StubLab.current)
        let program = try MuslProgram()
        let found = try lab.run(program.path, "\(name).internal.example")
        // Versions before 1.2.4 have no TCP; they use the truncated reply.
        #expect(found.status == 0 && found.lines.count > 10, "\(found)")
        #expect(found.lines.allSatisfy { $0.hasPrefix("10.20.") || $0.hasPrefix("198.51.100.") })
        #expect(Set(found.lines).count == found.lines.count)
    }
}

/// A program with musl that prints the IPv4 addresses of a name, one per line.
private struct MuslProgram {
    private let folder: TemporaryFolder
    var path: String { folder.file("addresses") }

    static let isPossible = (try? Command.run(["musl-gcc", "--version"]))?.status == 0

    init() throws {
        folder = try TemporaryFolder(["addresses.c": Self.source])
        let result = try Command.run(
            ["musl-gcc", "-static", "-o", "addresses", "addresses.c"],
            in: folder.path
        )
        try #require(result.status == 0, "\(result.complaints)")
    }

    private static let source = """
        #include <arpa/inet.h>
        #include <netdb.h>
        #include <stdio.h>
        #include <sys/socket.h>

        int main(int argc, char **argv) {
            struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *found, *next;
            int error = argc == 2 ? getaddrinfo(argv[1], NULL, &hints, &found) : EAI_NONAME;
            if (error) return fprintf(stderr, "%s\\n", gai_strerror(error)), 1;
            for (next = found; next; next = next->ai_next) {
                char text[INET_ADDRSTRLEN];
                struct sockaddr_in *address = (struct sockaddr_in *)next->ai_addr;
                puts(inet_ntop(AF_INET, &address->sin_addr, text, sizeof text));
            }
            return 0;
        }

        """
}

/// A host whose resolver is a Zonal with names of 100 addresses: in a private zone, and in NSD as
/// public DNS.
private final class StubLab: Sendable {
    @TaskLocal static var current: StubLab?

    private let network: NetworkNamespaces
    private let upstream: NSDServer
    private let zonal: RunningProcess
    private let folder: TemporaryFolder

    init() throws {
        network = try NetworkNamespaces([
            .init("resolver", ["10.20.1.2"]), .init("public", ["198.51.100.53"]),
            .init("client", ["10.20.1.7"], nameServers: ["10.20.1.2"]),
        ])
        let soa = "$TTL 60\n@ SOA ns.example. ops.example. 1 1h 15m 1w 60\n@ NS ns.example.\n"
        let many = (1...100).map { "many A 198.51.100.\($0)\n" }.joined()
        upstream = try NSDServer(
            ["public.example": "$ORIGIN public.example.\n" + soa + many],
            address: "198.51.100.53",
            port: 53,
            inside: network.on("public")
        )
        folder = try TemporaryFolder([
            "internal.example.zone": soa
                + "$GENERATE 1-100 many A 10.20.1.$\nwww CNAME many\nfar CNAME many.public.example.\n",
            "zonal.yaml": """
            listen: ["10.20.1.2:53"]
            control: control
            forward: [{ zone: ".", to: ["198.51.100.53"] }]
            accounts: [{ id: "111122223333" }]
            vpcs: [{ id: vpc-0a1, account: "111122223333", ranges: [10.20.0.0/16] }]
            zones: [{ file: internal.example.zone, vpcs: all }]

            """,
        ])
        zonal = try RunningProcess(
            network.on("resolver", [Project.zonal, "serve", "--config", "zonal.yaml"]),
            in: folder.path
        )
        try zonal.waitForOutput { $0.contains("ready") }
    }

    func run(_ command: String...) throws -> Command.Result {
        try Command.run(network.on("client", command))
    }
}

extension SuiteTrait where Self == SharedWorld<StubLab> {
    fileprivate static var stubLab: Self { SharedWorld(StubLab.$current) { try StubLab() } }
}
