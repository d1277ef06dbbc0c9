package import DNSWire
package import NIOCore
import NIOPosix
package import Resolver
import Synchronization

/// The TCP listeners: queries over connections, answered as RFC 7766 says.
package final class StreamServer: Sendable {
    private let group: any EventLoopGroup
    private let loops: [ObjectIdentifier: NIOLoopBoundBox<StreamLoop>]
    private let admission: StreamAdmission
    private let forwarder: any StreamForwarder
    private let listeners = Mutex<[any Channel]>([])
    private let counters: StreamCounters

    /// Listens nowhere yet; `group` stays the caller's.
    package init(
        on group: any EventLoopGroup,
        limits: StreamLimits = StreamLimits(),
        snapshots: SnapshotHolder,
        cache: ResponseCache,
        seed: HashSeed,
        forwarder: any StreamForwarder
    ) {
        self.group = group
        self.forwarder = forwarder
        admission = StreamAdmission(limits: limits)
        let counters = StreamCounters()
        self.counters = counters
        var loops: [ObjectIdentifier: NIOLoopBoundBox<StreamLoop>] = [:]
        for eventLoop in group.makeIterator() {
            let pipeline = Pipeline(cache: cache, seed: seed)
            loops[ObjectIdentifier(eventLoop)] = NIOLoopBoundBox.makeBoxSendingValue(
                StreamLoop(
                    pipeline: pipeline,
                    snapshots: snapshots,
                    forwarder: forwarder,
                    counters: counters
                ),
                eventLoop: eventLoop
            )
        }
        self.loops = loops
    }

    /// Connections open now.
    package var connectionCount: Int { admission.count }

    /// What has been turned away since the start.
    package var counts: StreamCounts { counters.counts }

    /// Listens at `address` as listener number `listener`; returns the port, chosen by the system for 0.
    @discardableResult
    package func listen(
        at address: AddressAndPort,
        listener: Int
    ) async throws(SocketError) -> UInt16 {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.socketOption(.so_sndbuf), value: Self.kernelBuffer)
            .childChannelOption(.recvAllocator, value: Self.readBuffer)
            .childChannelOption(
                .writeBufferWaterMark,
                value: .init(
                    low: max(admission.limits.pausingOctets / 2, 1),
                    high: max(admission.limits.pausingOctets, 1)
                )
            )
            .childChannelInitializer { [self] in prepare($0, listener: listener) }
        if !address.address.isV4 {
            _ = bootstrap.serverChannelOption(
                ChannelOptions.Types.SocketOption(level: .ipv6, name: .ipv6_v6only),
                value: 1
            )
        }
        let channel = try await bind(bootstrap, to: address)
        listeners.withLock { $0.append(channel) }
        return UInt16(truncatingIfNeeded: channel.localAddress?.port ?? 0)
    }

    /// Octets of replies that the kernel may hold for one connection, doubled by Linux.
    private static let kernelBuffer: SocketOptionValue = 64 << 10

    private static let readBuffer = AdaptiveRecvByteBufferAllocator(
        minimum: 512,
        initial: 2048,
        maximum: 16_384
    )

    private func bind(
        _ bootstrap: ServerBootstrap,
        to address: AddressAndPort
    ) async throws(SocketError) -> any Channel {
        do {
            let target = try SocketAddress(address)
            return try await bootstrap.bind(to: target).get()
        } catch let error as IOError {
            throw SocketError(call: "bind", address: address, code: error.errnoCode)
        } catch {
            throw SocketError(call: "bind", address: address, code: 0)
        }
    }

    private func prepare(_ channel: any Channel, listener: Int) -> EventLoopFuture<Void> {
        channel.eventLoop.makeCompletedFuture {
            guard let loop = loops[ObjectIdentifier(channel.eventLoop)]?.value else { return }
            let connection = StreamConnection(
                loop: loop,
                admission: admission,
                forwarder: forwarder,
                counters: counters,
                listener: listener
            )
            try channel.pipeline.syncOperations.addHandler(connection)
        }
    }

    /// Accepts no connection and takes no query any more, once this returns.
    package func stopTakingQueries() async {
        let open = listeners.withLock { listeners in
            defer { listeners = [] }
            return listeners
        }
        for listener in open { try? await listener.close() }
        admission.startDraining()
        for eventLoop in group.makeIterator() { try? await eventLoop.submit {}.get() }
    }

    /// After `stopTakingQueries`: lets every connection finish what it has for up to `timeout`, and
    /// returns once all are closed.
    package func finish(within timeout: TimeAmount) async {
        let eventLoop = group.next()
        let allGone = admission.whenEmpty(on: eventLoop)
        let deadline = eventLoop.scheduleTask(in: timeout) { [admission] in admission.closeAll() }
        try? await allGone.get()
        deadline.cancel()
    }
}

extension SocketAddress {
    /// The address as NIO wants it.
    init(_ address: AddressAndPort) throws {
        try self.init(
            packedIPAddress: ByteBuffer(bytes: address.address.octets),
            port: Int(address.port)
        )
    }
}
