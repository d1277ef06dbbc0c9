/// The identity as octets; its snapshot frees it.
public struct CompiledIdentity: BitwiseCopyable, Sendable {
    /// What `id.server` and NSID say; no octets if nothing is told.
    public let name: Text
    /// What `version.server` says.
    public let version: Text

    init(_ identity: ServerIdentity) {
        name = Text(identity.name)
        version = Text(identity.version)
    }

    func deallocate() {
        name.octets.deallocate()
        version.octets.deallocate()
    }

    /// A text of at most `ServerIdentity.longest` octets.
    public struct Text: BitwiseCopyable, Sendable {
        fileprivate let octets: FrozenArray<UInt8>

        fileprivate init(_ text: String?) {
            octets = FrozenArray(Array((text ?? "").utf8.prefix(ServerIdentity.longest)))
        }

        public var count: Int { octets.count }

        /// Hands the octets to `body`, which must not keep them.
        public func withOctets<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
            octets.withSpan(0, count: octets.count, body)
        }
    }
}
