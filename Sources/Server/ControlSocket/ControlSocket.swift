import Glibc
package import NIOCore
import NIOPosix
import Synchronization

/// A UNIX socket over which the operator's commands talk to the running server.
///
/// Nobody but the server's own user and root is heard: by the mode of the file, and by what the kernel
/// says of each peer.
package final class ControlSocket: Sendable {
    /// Answers one request line, which is text without control characters.
    package typealias Handler = @Sendable (String) async -> ControlReply

    private let place: ControlPlace
    private let lock: ControlLock
    private let listener: any Channel
    private let link: ControlLink?
    /// Why there is no link at the place's `linkPath`; nil if there is one, or is to be none.
    package let linkFault: ControlError?

    /// Listens at `place`, in place of what a server that has ended left there.
    package init(
        at place: ControlPlace,
        limits: ControlLimits = ControlLimits(),
        on group: any EventLoopGroup,
        handle: @escaping Handler
    ) async throws(ControlError) {
        try place.prepareFolder()
        let lock = try ControlLock(for: place)
        let count = ConnectionCount(limit: limits.connections)
        let bootstrap = ServerBootstrap(group: group)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelInitializer { channel in
                guard count.enter() else {
                    return channel.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
                }
                channel.closeFuture.whenComplete { _ in count.leave() }
                return channel.eventLoop.makeCompletedFuture {
                    let connection = ControlConnection(limits: limits, handle: handle)
                    try channel.pipeline.syncOperations.addHandler(connection)
                }
            }
        do {
            listener = try await bootstrap.bind(unixDomainSocketPath: place.path).get()
        } catch {
            lock.removeFile()
            throw ControlError("\(place.path) cannot be listened on: \(error)")
        }
        // Sound: the string lives until the call returns.
        _ = unsafe chmod(place.path, 0o600)
        self.place = place
        self.lock = lock
        (link, linkFault) = Self.link(to: place)
    }

    private static func link(to place: ControlPlace) -> (ControlLink?, ControlError?) {
        guard let path = place.linkPath, path != ControlPlace.absolute(place.path) else {
            return (nil, nil)
        }
        do throws(ControlError) {
            let standard = ControlPlace(path: path, isRequired: false)
            return (try ControlLink(at: standard, to: place.path), nil)
        } catch {
            return (nil, error)
        }
    }

    /// Listens no more and removes the socket; requests under way are still answered.
    package func close() async {
        link?.remove()
        // Sound: the string lives until the call returns. The lock is held, so the file is ours.
        _ = unsafe unlink(place.path)
        try? await listener.close()
        lock.removeFile()
    }
}

/// What a peer may take; each bound is there because somebody will reach for it.
package struct ControlLimits: Sendable {
    /// Connections at a time.
    package var connections = 8
    /// Octets of a request, its end included.
    package var requestSize = 64 << 10
    /// How long a request may take to come, and a reply to be taken.
    package var requestTimeout = TimeAmount.seconds(5)
    package var replyTimeout = TimeAmount.seconds(30)

    package init() {}
}

/// How many connections are open.
private final class ConnectionCount: Sendable {
    private let limit: Int
    private let count = Mutex(0)

    init(limit: Int) { self.limit = limit }

    /// True if there is room for one more, which is then taken.
    func enter() -> Bool {
        count.withLock { count in
            guard count < limit else { return false }
            count += 1
            return true
        }
    }

    func leave() { count.withLock { $0 -= 1 } }
}
