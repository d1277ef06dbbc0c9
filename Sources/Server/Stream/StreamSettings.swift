package import DNSWire
package import Resolver

/// What the TCP server has to know.
package struct StreamSettings: Sendable {
    package var limits = StreamLimits()
    package var threads: Int
    package var snapshots: SnapshotHolder
    package var cache: ResponseCache
    /// The process's key of name hashes, with which the snapshot was compiled, too.
    package var seed: HashSeed
    package var forwarder: any StreamForwarder
}
