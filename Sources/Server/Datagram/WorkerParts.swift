import DNSWire
import Resolver
import Sockets
import Upstream

/// The parts of a worker that are made before its thread starts, so that errors appear at the
/// start.
final class WorkerParts: Sendable {
    let number: Int
    let listeners: [ListenerSocket]
    let epoll: Epoll
    let inboxes: [WorkerInbox]
    let snapshots: SnapshotHolder
    let cache: ResponseCache
    let seed: HashSeed
    let connections: any ConnectionTransport
    let loops: LoopDetector
    let rates: ReplyRates
    let waiting: WaitingCounts
    let limitingLog: LimitingLog
    let counters = WorkerCounters()
    /// The maximum number of UDP sockets to upstreams of this worker.
    let upstreamSockets: Int

    var inbox: WorkerInbox { inboxes[number] }

    init(
        number: Int,
        listeners: [ListenerSocket],
        inboxes: [WorkerInbox],
        settings: DatagramSettings
    ) throws(SocketError) {
        self.number = number
        self.listeners = listeners
        self.inboxes = inboxes
        snapshots = settings.snapshots
        cache = settings.cache
        seed = settings.seed
        connections = settings.connections
        loops = settings.loops
        rates = settings.rates
        waiting = settings.waiting
        upstreamSockets = settings.descriptors.upstreamSockets(ofOneAmong: inboxes.count)
        limitingLog = settings.limitingLog
        epoll = try Epoll()
        guard epoll.add(inboxes[number].descriptor, token: WorkerEvent.inbox.token) else {
            throw SocketError(call: "epoll_ctl")
        }
        for (listener, socket) in listeners.enumerated() {
            guard epoll.add(socket.descriptor, token: WorkerEvent.listener(listener).token) else {
                throw SocketError(call: "epoll_ctl", address: socket.address)
            }
        }
    }
}
