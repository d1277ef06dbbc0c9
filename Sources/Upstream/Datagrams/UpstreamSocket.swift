/// One connected socket on a port of its own.
struct UpstreamSocket: BitwiseCopyable {
    /// The number of queries after which the socket is replaced.
    private static let useLimit = 32
    /// The number of queries that it may carry if no other socket is available.
    static let scarceUseLimit = 1024
    /// The number of unexpected datagrams after which the socket is replaced.
    private static let strayLimit = 3

    let descriptor: Int32
    let retiresAt: Milliseconds
    private var strays: UInt8 = 0
    /// True if it gets no new query; it is closed once no answer is awaited.
    var isRetired = false
    /// The newest query on this socket, in `SocketUses`, which links to the older ones.
    var newestUse = UInt32.max
    var useCount = 0
    /// The number of these queries whose answers are still awaited.
    var pendingCount = 0

    init(descriptor: Int32, retiresAt: Milliseconds) {
        self.descriptor = descriptor
        self.retiresAt = retiresAt
    }

    var isIdle: Bool { pendingCount == 0 }

    /// False if an attacker may be guessing the IDs of queries here.
    var isTrusted: Bool { strays < Self.strayLimit }

    func isUsable(now: Milliseconds) -> Bool {
        useCount < Self.useLimit && now < retiresAt && isTrusted
    }

    /// Counts a datagram that answers no query.
    mutating func strayed() { strays = min(strays + 1, UInt8(Self.strayLimit)) }
}
