/// One connected socket on a port of its own.
struct UpstreamSocket: BitwiseCopyable {
    /// Queries after which it is replaced.
    private static let useLimit = 32
    /// Queries that it takes where no other can be had.
    static let scarceUseLimit = 1024
    /// Datagrams that answer nothing after which it is, too.
    private static let strayLimit = 3

    let descriptor: Int32
    let retiresAt: Milliseconds
    private var strays: UInt8 = 0
    /// It serves no new question, and is closed once nothing is awaited.
    var isRetired = false
    /// What has been asked here, in `SocketUses`; the newest first.
    var newestUse = UInt32.max
    var useCount = 0
    /// Those of them that are still awaited.
    var pendingCount = 0

    init(descriptor: Int32, retiresAt: Milliseconds) {
        self.descriptor = descriptor
        self.retiresAt = retiresAt
    }

    var isIdle: Bool { pendingCount == 0 }

    /// True unless somebody seems to guess here.
    var isTrusted: Bool { strays < Self.strayLimit }

    func isUsable(now: Milliseconds) -> Bool {
        useCount < Self.useLimit && now < retiresAt && isTrusted
    }

    /// Notes a datagram that answers nothing.
    mutating func strayed() { strays = min(strays + 1, UInt8(Self.strayLimit)) }
}
