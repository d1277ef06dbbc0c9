import CSockets
import Glibc
import NIOCore

/// One connection to the control socket: it reads one request line, writes one reply, and closes.
final class ControlConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let limits: ControlLimits
    private let handle: ControlSocket.Handler
    private var received = ByteBuffer()
    /// True once the peer's user is known to be allowed.
    private var isHeard = false
    /// True once the request is complete, refused, or impossible because the connection has closed.
    private var isOver = false
    private var deadline: Scheduled<Void>?

    init(limits: ControlLimits, handle: @escaping ControlSocket.Handler) {
        self.limits = limits
        self.handle = handle
    }

    func channelActive(context: ChannelHandlerContext) {
        closeAfter(limits.requestTimeout, context)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        Self.user(of: context.channel).whenComplete { result in
            let (connection, context) = bound.value
            if case .success(let user) = result, user == getuid() || user == 0 {
                connection.isHeard = true
                connection.answerIfWhole(context)
            } else {
                connection.reply(
                    .error("only this server's user and root may send requests"),
                    context
                )
            }
        }
    }

    /// Returns the peer's user, which the kernel reports.
    private static func user(of channel: any Channel) -> EventLoopFuture<uid_t> {
        guard let provider = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
        }
        let credentials: EventLoopFuture<csockets_credentials> = provider.unsafeGetSocketOption(
            level: .socket,
            name: NIOBSDSocket.Option(rawValue: SO_PEERCRED)
        )
        return credentials.map(\.user)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOver else { return }
        var more = unwrapInboundIn(data)
        received.writeBuffer(&more)
        answerIfWhole(context)
    }

    private func answerIfWhole(_ context: ChannelHandlerContext) {
        guard isHeard, !isOver else { return }
        let octets = received.readableBytesView
        guard let end = octets.prefix(limits.requestSize).firstIndex(of: UInt8(ascii: "\n")) else {
            guard octets.count >= limits.requestSize else { return }
            return reply(
                .error("a request must be one line of up to \(limits.requestSize) octets"),
                context
            )
        }
        guard let line = String(validating: octets[..<end], as: UTF8.self),
            !line.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F })
        else { return reply(.error("a request must be text without control characters"), context) }
        isOver = true
        deadline?.cancel()
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let loop = context.eventLoop
        loop.makeFutureWithTask { [handle] in await handle(line) }.whenSuccess { reply in
            let (connection, context) = bound.value
            connection.reply(reply, context)
        }
    }

    /// Writes the reply and closes the connection, at the latest after `replyTimeout`.
    private func reply(_ reply: ControlReply, _ context: ChannelHandlerContext) {
        isOver = true
        guard context.channel.isActive else { return }
        closeAfter(limits.replyTimeout, context)
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: reply.text)))
            .assumeIsolated().whenComplete { _ in context.close(promise: nil) }
    }

    private func closeAfter(_ time: TimeAmount, _ context: ChannelHandlerContext) {
        deadline?.cancel()
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: time) {
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        isOver = true
        deadline?.cancel()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
