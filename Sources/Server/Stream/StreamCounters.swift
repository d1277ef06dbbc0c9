import Synchronization

/// Connections that were closed for what came first, since the start.
package struct StreamCounts: Equatable, Sendable, BitwiseCopyable {
    /// To listeners for proxies, from others.
    package var strangers = 0
    /// From proxies, without a PROXY header that holds.
    package var badProxyHeaders = 0
}

/// The counts of all event loops.
final class StreamCounters: Sendable {
    private let strangers = Atomic<Int>(0)
    private let badProxyHeaders = Atomic<Int>(0)

    var counts: StreamCounts {
        StreamCounts(
            strangers: strangers.load(ordering: .relaxed),
            badProxyHeaders: badProxyHeaders.load(ordering: .relaxed)
        )
    }

    func countStranger() { strangers.add(1, ordering: .relaxed) }

    func countBadProxyHeader() { badProxyHeaders.add(1, ordering: .relaxed) }
}
