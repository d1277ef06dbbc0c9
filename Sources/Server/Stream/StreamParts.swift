import DNSWire
import Resolver
import Sockets

/// The parts of a TCP thread that are made before it starts, so that errors appear at the start.
final class StreamParts: Sendable {
    let number: Int
    let epoll: Epoll
    /// The inboxes of all TCP threads, including this one's.
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
