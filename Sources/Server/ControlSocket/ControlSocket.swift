import Glibc
package import NIOCore
import NIOPosix
import Synchronization

/// The UNIX socket over which the operator's commands talk to the running server.
///
/// Only the server's own user and root can send requests. The file's mode and the peer credentials
/// from the kernel enforce this.
package final class ControlSocket: Sendable {
    /// Answers one request line, which is text without control characters.
    package typealias Handler = @Sendable (String) async -> ControlReply

    private let place: ControlPlace
    private let lock: ControlLock
    private let listener: any Channel
    private let link: ControlLink?
    /// Why the link at the place's `linkPath` could not be made; nil if it exists or none is
    /// needed.
    package let linkFault: ControlError?

    /// Listens at `place`, and replaces a socket that a server that no longer runs has left.
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
            throw ControlError("cannot listen on \(place.path): \(error)")
        }
        // Sound: the string stays alive until the call returns.
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

    /// Stops listening and removes the socket; requests in flight are still answered.
    package func close() async {
        link?.remove()
        // Sound: the string stays alive until the call returns. The lock is held, so the file is
        // ours.
        _ = unsafe unlink(place.path)
        try? await listener.close()
        lock.removeFile()
    }
}

/// The limits on a peer of the control socket.
///
/// Each bounds what a hostile peer can use up.
package struct ControlLimits: Sendable {
    /// Concurrent connections.
    package var connections = 8
    /// Octets of a request, including the line end.
    package var requestSize = 64 << 10
    /// How long the server waits for a complete request, and for the peer to read a reply.
    package var requestTimeout = TimeAmount.seconds(5)
    package var replyTimeout = TimeAmount.seconds(30)

    package init() {}
}

/// The number of open connections, up to a limit.
private final class ConnectionCount: Sendable {
    private let limit: Int
    private let count = Mutex(0)

    init(limit: Int) { self.limit = limit }

    /// Counts one more connection; false, and not counted, at the limit.
    func enter() -> Bool {
        count.withLock { count in
            guard count < limit else { return false }
            count += 1
            return true
        }
    }

    func leave() { count.withLock { $0 -= 1 } }
}
