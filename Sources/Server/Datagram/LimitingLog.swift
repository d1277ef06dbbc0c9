package import DNSWire
import Resolver
import Synchronization
import Upstream

/// Tells that replies are limited, once a minute at most however many networks it is.
package final class LimitingLog: Sendable {
    private static let pause: Milliseconds = 60_000

    private let due = Mutex(Milliseconds.zero)
    private let tell: @Sendable (IPPrefix) -> Void

    package init(_ tell: @escaping @Sendable (IPPrefix) -> Void) { self.tell = tell }

    /// Replies to a network have been limited.
    func note(_ network: IPPrefix, now: Milliseconds) {
        let isDue = due.withLock { due in
            guard now >= due else { return false }
            due = now + Self.pause
            return true
        }
        if isDue { tell(network) }
    }
}
