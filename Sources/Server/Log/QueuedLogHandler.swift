import Glibc
package import Logging

/// Formats log messages as swift-log's default handler does, and appends them to a queue.
package struct QueuedLogHandler: LogHandler {
    package var logLevel = Logger.Level.notice
    package var metadata = Logger.Metadata()
    package var metadataProvider: Logger.MetadataProvider?
    private let queue: LogQueue

    package init(_ queue: LogQueue) { self.queue = queue }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let words = all.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        let error = event.error.map { ": \($0)" } ?? ""
        queue.write(Self.line(event.level, "\(event.message)\(error)", words, event.source))
    }

    /// A line that begins with the time, the level, the metadata and the source.
    static func line(
        _ level: Logger.Level,
        _ message: String,
        _ metadata: String = "",
        _ source: String = "Server"
    ) -> String {
        "\(now) \(level) zonal:\(metadata) [\(source)] \(message)"
    }

    private static var now: String {
        var seconds = time(nil)
        var parts = unsafe tm()
        var text = [CChar](repeating: 0, count: 64)
        // Sound: each call gets structures that outlive it, and the real size of the buffer.
        unsafe localtime_r(&seconds, &parts)
        let count = unsafe strftime(&text, text.count, "%Y-%m-%dT%H:%M:%S%z", &parts)
        return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
