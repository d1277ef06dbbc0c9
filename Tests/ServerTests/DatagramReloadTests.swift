import DNSWire
import Dispatch
import Resolver
import Snapshot
import TestSupport
import Testing

@testable import Server

/// Datagrams that arrived before a reload and are read after it.
@Suite struct `A datagram that came before a reload` {
    private static let seed = HashSeed(value: 7)
    private static let client = Client(
        address: IPAddress(v4: 0x7F00_0001),
        listener: 0,
        transport: .datagram
    )

    private static func snapshot(isInside: Bool) -> CompiledSnapshot {
        var world = StreamFixture.world()
        if !isInside {
            world.vpcs[0].ranges = []
            world.clients.allow = [IPPrefix("127.0.0.0/8")].compactMap { $0 }
        }
        return CompiledSnapshot(compiling: world, seed: seed)
    }

    private static func verdict(_ standing: Standing?, isInside: Bool) -> Verdict {
        let snapshot = snapshot(isInside: isInside)
        var pipeline = Pipeline(cache: ResponseCache(byteCount: 1 << 20), seed: seed)
        var miss = Miss(seed: seed)
        var client = client
        client.standing = standing
        let query = StreamFixture.query("host.example.internal", id: 1)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1232, alignment: 8)
        defer { unsafe memory.deallocate() }
        // Sound: the memory outlives the writer, which alone uses it.
        var reply = unsafe ReplyWriter(memory, limit: 1232)
        return pipeline.answer(
            query.span,
            from: client,
            in: snapshot,
            knowing: .start,
            now: 0,
            into: &reply,
            missing: &miss
        )
    }

    @Test func `is dropped if its sender would be in a VPC now, and else answered`() {
        let before = Self.snapshot(isInside: false).standing(of: Self.client)
        #expect(Self.verdict(before, isInside: true) == .drop(.risen))
        #expect(Self.verdict(before, isInside: false) != .drop(.risen))
        let inside = Self.snapshot(isInside: true).standing(of: Self.client)
        #expect(Self.verdict(inside, isInside: true) == .reply)
        #expect(Self.verdict(nil, isInside: true) == .reply)
    }

    @Test func `counts as old until its socket was empty once`() {
        var transition = Transition(listeners: 2)
        #expect(!transition.isUnder(listener: 0))
        transition.begin(from: Self.snapshot(isInside: false))
        #expect(transition.isUnder(listener: 0) && transition.isUnder(listener: 1))
        transition.note(listener: 0, isFull: true)
        transition.note(listener: 1, isFull: false)
        #expect(transition.isUnder(listener: 0) && !transition.isUnder(listener: 1))
        let standing = transition.standing(of: Self.client)
        #expect(standing == Self.snapshot(isInside: false).standing(of: Self.client))
        // 8 MiB of the smallest datagrams.
        var batches = 1
        while transition.isUnder(listener: 0) {
            transition.note(listener: 0, isFull: true)
            batches += 1
        }
        #expect(batches * ReceiveBatch.capacity >= (8 << 20) / 768)
        #expect(batches < 256)
    }

    @Test func `is not answered if two reloads have come since`() {
        var transition = Transition(listeners: 1)
        transition.begin(from: Self.snapshot(isInside: true))
        transition.begin(from: Self.snapshot(isInside: false))
        #expect(transition.standing(of: Self.client) == .unheard)
        #expect(Self.verdict(.unheard, isInside: true) == .drop(.risen))
        transition.note(listener: 0, isFull: false)
        transition.begin(from: Self.snapshot(isInside: true))
        #expect(transition.standing(of: Self.client) != .unheard)
    }

    /// The worker starts after the reload, so everything in its socket arrived before.
    @Test func `waits in the socket for the worker, and is judged by what was in force then`()
        async throws
    {
        let snapshots = SnapshotHolder(Self.snapshot(isInside: false))
        let server = try DatagramServer(
            DatagramSettings(
                snapshots: snapshots,
                cache: ResponseCache(byteCount: 1 << 20),
                seed: Self.seed
            ),
            on: ListenerSockets([AddressAndPort(IPAddress(v4: 0x7F00_0001), port: 0)], workers: 1)
        )
        let gate = WorkerGate(server)
        try server.start()
        gate.waitUntilBusy()
        let client = try BoundSocket(kind: .datagram)
        let peer = BoundSocket.name("127.0.0.1", server.addresses[0].port)
        client.send(StreamFixture.query("host.example.internal", id: 1), to: peer)
        snapshots.replace(with: Self.snapshot(isInside: true))
        let arrivals = Arrivals()
        let count = server.takeUpSnapshot(arrivals)
        gate.open()
        arrivals.wait(for: count)
        client.send(StreamFixture.query("host.example.internal", id: 2), to: peer)
        let reply = try #require(client.receive())
        #expect(reply.octets.prefix(2) == [0, 2], "the first one was an outside client's")
        #expect(reply.octets.suffix(4) == [10, 20, 1, 10])
        await server.drain(within: 0)
        #expect(server.counts[0].dropped == 1)
    }
}

/// Blocks a worker until it is opened, with a query whose reply is taken slowly.
private final class WorkerGate: Sendable {
    private let entered = DispatchSemaphore(value: 0)
    private let opened = DispatchSemaphore(value: 0)

    init(_ server: DatagramServer) {
        let client = WaitingClient(
            message: StreamFixture.query("localhost", id: 9),
            client: Client(address: IPAddress(v4: 0x7F00_0001), listener: 0, transport: .stream),
            route: .stream { [entered, opened] _ in
                entered.signal()
                opened.wait()
            },
            deadline: .max
        )
        // Its snapshot is not the worker's, so the worker runs the pipeline itself.
        let asking = Asking(Miss(seed: HashSeed(value: 7)), generation: .max)
        _ = server.inboxes[0].post(.handover(client, asking))
    }

    func waitUntilBusy() { entered.wait() }

    func open() { opened.signal() }
}
