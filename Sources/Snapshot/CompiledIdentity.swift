/// The server identity as octets; its snapshot frees it.
public struct CompiledIdentity: BitwiseCopyable, Sendable {
    /// The answer to `id.server` and the NSID; empty if not configured.
    public let name: Text
    /// The answer to `version.server`.
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

        /// Calls `body` with the octets, which it must not keep.
        public func withOctets<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
            octets.withSpan(0, count: octets.count, body)
        }
    }
}
