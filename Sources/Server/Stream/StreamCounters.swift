import Synchronization

/// The counts of TCP connections since the start.
package struct StreamCounts: Equatable, Sendable, BitwiseCopyable {
    /// Connections to listeners for proxies that did not come from a proxy.
    package var strangers = 0
    /// Connections from proxies without a valid PROXY header.
    package var badProxyHeaders = 0
    /// Answers whose addresses are all down.
    package var failedOpen = 0
}

/// The counts of all TCP threads.
final class StreamCounters: Sendable {
    private let strangers = Atomic<Int>(0)
    private let badProxyHeaders = Atomic<Int>(0)
    private let failedOpen = Atomic<Int>(0)

    var counts: StreamCounts {
        StreamCounts(
            strangers: strangers.load(ordering: .relaxed),
            badProxyHeaders: badProxyHeaders.load(ordering: .relaxed),
            failedOpen: failedOpen.load(ordering: .relaxed)
        )
    }

    func countStranger() { strangers.add(1, ordering: .relaxed) }

    func countBadProxyHeader() { badProxyHeaders.add(1, ordering: .relaxed) }

    func countFailedOpen() { failedOpen.add(1, ordering: .relaxed) }
}
