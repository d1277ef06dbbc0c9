import DNSWire
import Resolver
import Snapshot
import Synchronization
import TestSupport

@testable import Server

/// A TCP server on a free port of 127.0.0.1, whose clients are all in one VPC.
///
/// It knows `host.example.internal` (10.20.1.10) and `large.example.internal` (a TXT RRset of over
/// 50,000 octets); everything else goes to a forwarder that answers when the test says so.
struct StreamFixture {
    let server: StreamServer
    let forwarder = HeldForwarder()
    let port: UInt16
    private let snapshots: SnapshotHolder
    private let seed = HashSeed(value: 7)

    /// With `proxies`, these must send a PROXY header, and other senders are ignored.
    init(
        proxies: String? = nil,
        threads: Int = 1,
        _ change: (inout StreamLimits) -> Void = { _ in }
    ) async throws {
        var limits = StreamLimits()
        change(&limits)
        var world = Self.world()
        world.listeners[0].proxies = proxies.map { [IPPrefix($0)].compactMap { $0 } }
        snapshots = SnapshotHolder(CompiledSnapshot(compiling: world, seed: seed))
        server = try StreamServer(
            StreamSettings(
                limits: limits,
                threads: threads,
                snapshots: snapshots,
                cache: ResponseCache(byteCount: 1 << 20),
                seed: seed,
                forwarder: forwarder
            )
        )
        let address = AddressAndPort(IPAddress(v4: 0x7F00_0001), port: 0)
        let listener = try StreamListener(address, number: 0)
        server.listen(on: listener)
        port = listener.address.port
    }

    func connect(receiveBuffer: Int32? = nil) throws -> StreamClient {
        try StreamClient(port: port, receiveBuffer: receiveBuffer)
    }

    /// Installs a changed world; returns once every thread uses it.
    func reload(_ change: (inout World) -> Void) {
        var world = Self.world()
        change(&world)
        snapshots.replace(with: CompiledSnapshot(compiling: world, seed: seed))
        let arrivals = Arrivals()
        arrivals.wait(for: server.takeUpSnapshot(arrivals))
    }

    /// Stops the server and its thread.
    func end() async throws {
        await server.startDraining()
        await server.finish(within: .zero)
    }

    static func query(_ name: String, id: UInt16, type: RecordType = .a) -> [UInt8] {
        [UInt8(id >> 8), UInt8(id & 0xFF), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
            + Self.name(name).octets + [
                UInt8(type.rawValue >> 8), UInt8(type.rawValue & 0xFF), 0, 1,
            ]
    }

    private static func name(_ text: String) -> DomainName { DomainName(text) ?? .root }

    static func world() -> World {
        var world = World()
        let loopback = [IPPrefix("127.0.0.0/8")].compactMap { $0 }
        world.accounts = [Account(id: "111122223333")]
        world.vpcs = [VPC(id: "vpc-0a11111111111111a", account: 0, ranges: loopback)]
        world.vpcs[0].endpoints = ["vpce-0f7763f87e99bfae4"]
        world.zones = [Zone(apex: name("example.internal"), contents: contents(), vpcs: [0])]
        let upstream = AddressAndPort(IPAddress(v4: 0xC000_0235))
        world.rules = [ForwardRule(zone: .root, upstreams: [upstream])]
        world.listeners = [ListenerScope()]
        return world
    }

    private static func contents() -> ZoneContents {
        var contents = ZoneContents()
        let names = name("ns.example.internal").octets + name("admin.example.internal").octets
        let soa = names + [UInt8](repeating: 1, count: 20)
        contents.append(owner: name("example.internal"), type: .soa, ttl: 60, rdata: soa)
        let host = name("host.example.internal")
        contents.append(owner: host, type: .a, ttl: 60, rdata: [10, 20, 1, 10])
        for number in 0..<200 {
            let text = [255] + [UInt8](repeating: UInt8(number), count: 255)
            let large = name("large.example.internal")
            contents.append(owner: large, type: .txt, ttl: 60, rdata: text)
        }
        return contents
    }
}

/// Holds forwarded queries until a test answers them.
final class HeldForwarder: StreamForwarder {
    struct Query: Sendable {
        var message: [UInt8]
        var client: Client
        var respond: @Sendable ([UInt8]?) -> Void

        var id: UInt16 { UInt16(message[0]) << 8 | UInt16(message[1]) }

        /// Answers with the query itself, marked as a response.
        func answer() {
            var response = message
            response[2] |= 0x80
            respond(response)
        }
    }

    private let arrivals: AsyncStream<Query>
    private let input: AsyncStream<Query>.Continuation
    private let arrivalCount = Atomic<Int>(0)

    init() { (arrivals, input) = AsyncStream.makeStream() }

    /// Queries forwarded so far.
    var count: Int { arrivalCount.load(ordering: .sequentiallyConsistent) }

    func forward(
        _ message: [UInt8],
        from client: Client,
        asking: Asking,
        respond: @escaping @Sendable ([UInt8]?) -> Void
    ) {
        arrivalCount.add(1, ordering: .sequentiallyConsistent)
        input.yield(Query(message: message, client: client, respond: respond))
    }

    func refresh(_ asking: Asking) {}

    /// Waits for the next `count` queries.
    func take(_ count: Int) async -> [Query] {
        var taken: [Query] = []
        for await query in arrivals {
            taken.append(query)
            if taken.count == count { break }
        }
        return taken
    }
}
