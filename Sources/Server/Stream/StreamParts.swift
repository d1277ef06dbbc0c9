import DNSWire
import Resolver
import Sockets

/// What a stream thread works with that is made before it starts, so that what fails fails early.
final class StreamParts: Sendable {
    let number: Int
    let epoll: Epoll
    /// One a thread, this one's among them.
    let inboxes: [StreamInbox]
    let snapshots: SnapshotHolder
    let cache: ResponseCache
    let seed: HashSeed
    let forwarder: any StreamForwarder
    let admission: StreamAdmission
    let counters: StreamCounters

    var inbox: StreamInbox { inboxes[number] }
    var limits: StreamLimits { admission.limits }

    init(
        number: Int,
        inboxes: [StreamInbox],
        settings: StreamSettings,
        admission: StreamAdmission,
        counters: StreamCounters
    ) throws(SocketError) {
        self.number = number
        self.inboxes = inboxes
        self.admission = admission
        self.counters = counters
        snapshots = settings.snapshots
        cache = settings.cache
        seed = settings.seed
        forwarder = settings.forwarder
        epoll = try Epoll()
        guard epoll.add(inboxes[number].descriptor, token: StreamEvent.inbox.token) else {
            throw SocketError(call: "epoll_ctl")
        }
    }
}
