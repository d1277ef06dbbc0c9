package import DNSWire
import Resolver
import Synchronization
import Upstream

/// Logs that replies are rate limited, at most once a minute for all networks together.
package final class LimitingLog: Sendable {
    private static let pause: Milliseconds = 60_000

    private let due = Mutex(Milliseconds.zero)
    private let tell: @Sendable (IPPrefix) -> Void

    package init(_ tell: @escaping @Sendable (IPPrefix) -> Void) { self.tell = tell }

    /// Reports that replies to a network have been limited.
    func note(_ network: IPPrefix, now: Milliseconds) {
        let isDue = due.withLock { due in
            guard now >= due else { return false }
            due = now + Self.pause
            return true
        }
        if isDue { tell(network) }
    }
}
