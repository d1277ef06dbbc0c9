package import DNSWire
package import Resolver

/// The settings and shared state of the TCP server.
package struct StreamSettings: Sendable {
    package var limits = StreamLimits()
    package var threads: Int
    package var snapshots: SnapshotHolder
    package var cache: ResponseCache
    /// The process's key for name hashes, with which the snapshots are compiled, too.
    package var seed: HashSeed
    package var forwarder: any StreamForwarder
}
