import Synchronization

/// What has happened to streams since the start.
package struct StreamCounts: Equatable, Sendable, BitwiseCopyable {
    /// Connections closed for what came first: to listeners for proxies, from others.
    package var strangers = 0
    /// From proxies, without a PROXY header that holds.
    package var badProxyHeaders = 0
    /// Answers with addresses that are all down.
    package var failedOpen = 0
}

/// The counts of all stream threads.
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
