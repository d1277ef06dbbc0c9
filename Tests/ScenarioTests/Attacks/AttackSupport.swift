import Foundation
import TestSupport

extension ZonalServer {
    /// Starts a server that forwards everything, with optional further configuration.
    static func forwarding(
        to upstreams: ScriptedUpstream...,
        extra: String = ""
    ) throws -> ZonalServer {
        let list = upstreams.map { "\"\($0.endpoint)\"" }.joined(separator: ", ")
        return try ZonalServer("forward: [{ zone: \".\", to: [\(list)] }]\n" + extra)
    }
}

/// A Boolean that another thread may read.
final class Flag: @unchecked Sendable {
    // Unchecked is sound: `current` is accessed only with `lock` held.
    private let lock = NSLock()
    private var current = false

    var value: Bool {
        get { lock.withLock { current } }
        set { lock.withLock { current = newValue } }
    }
}
