import DNSWire
import Glibc
import NIOCore
import Resolver
import Snapshot

/// One TCP connection of a client (RFC 7766): queries in, replies out as they get ready.
///
/// What is known here is answered at once; what needs an upstream is forwarded and its reply follows
/// out of order (§6.2.1.1). Nothing is read while too much is under way in either direction.
final class StreamConnection: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let loop: StreamLoop
    private let admission: StreamAdmission
    private let forwarder: any StreamForwarder
    private let counters: StreamCounters
    private let listener: Int

    private var frames = StreamFrames()
    private var phase = Phase.opening
    /// Queries that wait for an upstream.
    private var waiting = 0
    /// The peer sends no more, or we listen no more; queries already here are still taken.
    private var hasInputEnded = false
    /// A read was asked for while none was allowed.
    private var owesRead = false
    private var isAdvancing = false
    private var watch: RepeatedTask?

    private enum Phase {
        case opening
        /// A proxy, which first has to say for whom it speaks.
        case introducing(Client, StreamPresence)
        case serving(Client, StreamPresence)
        /// No more queries are taken; closes once the replies are out.
        case finishing(StreamPresence)
        case closed
    }

    init(
        loop: StreamLoop,
        admission: StreamAdmission,
        forwarder: any StreamForwarder,
        counters: StreamCounters,
        listener: Int
    ) {
        self.loop = loop
        self.admission = admission
        self.forwarder = forwarder
        self.counters = counters
        self.listener = listener
    }

    // MARK: Life

    func channelActive(context: ChannelHandlerContext) {
        guard let text = context.remoteAddress?.ipAddress, let address = IPAddress(text) else {
            return refuse(context)
        }
        let peer = Client(address: address, listener: listener, transport: .stream)
        switch loop.kind(of: peer) {
        case .client:
            guard let presence = admission.admit(context.channel, from: address) else {
                return refuse(context)
            }
            phase = .serving(peer, presence)
        case .proxy:
            guard let presence = admission.admit(context.channel, from: nil) else {
                return refuse(context)
            }
            phase = .introducing(peer, presence)
        case .stranger:
            counters.countStranger()
            return refuse(context)
        }
        startWatch(context)
        context.fireChannelActive()
    }

    private func refuse(_ context: ChannelHandlerContext) {
        phase = .closed
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func end() {
        watch?.cancel()
        if let presence { admission.leave(presence) }
        phase = .closed
    }

    private var presence: StreamPresence? {
        switch phase {
        case .introducing(_, let presence), .serving(_, let presence),
            .finishing(let presence):
            presence
        case .opening, .closed: nil
        }
    }

    // MARK: In

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var octets = unwrapInboundIn(data)
        switch phase {
        case .introducing, .serving: frames.append(&octets)
        case .opening, .finishing, .closed: return
        }
        advance(context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is StreamDrain || event as? ChannelEvent == .inputClosed {
            hasInputEnded = true
            advance(context)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    /// Takes queries for as long as there are whole ones and room for what they cause.
    private func advance(_ context: ChannelHandlerContext) {
        guard !isAdvancing else { return }
        isAdvancing = true
        defer { isAdvancing = false }
        if case .introducing(let proxy, let presence) = phase {
            takeHeader(of: proxy, presence, context)
        }
        var mayContinue = true
        while mayContinue {
            let tookAny = takeQueries(context)
            if tookAny { context.flush() }
            mayContinue = tookAny && mayTakeMore(context)
        }
    }

    /// Learns from a proxy who the client is; the connection counts as the client's from then on.
    private func takeHeader(
        of proxy: Client,
        _ presence: StreamPresence,
        _ context: ChannelHandlerContext
    ) {
        do throws(ProxyHeaderError) {
            guard let header = try frames.takeHeader() else {
                if hasInputEnded { context.close(promise: nil) }
                return
            }
            let client = proxy.client(named: header)
            admission.leave(presence)
            guard let own = admission.admit(context.channel, from: client.address) else {
                return refuse(context)
            }
            phase = .serving(client, own)
        } catch {
            counters.countBadProxyHeader()
            phase = .finishing(presence)
            context.close(promise: nil)
        }
    }

    /// Takes queries until they end or the replies need to leave first; true if there were any.
    private func takeQueries(_ context: ChannelHandlerContext) -> Bool {
        var tookAny = false
        while case .serving(let client, let presence) = phase, mayTakeMore(context) {
            switch frames.next() {
            case .incomplete:
                if hasInputEnded { finish(context) }
                return tookAny
            case .notAMessage: finish(context)
            case .message(let message):
                tookAny = true
                take(message, from: client, presence, context)
            }
        }
        return tookAny
    }

    private func take(
        _ message: ByteBuffer,
        from client: Client,
        _ presence: StreamPresence,
        _ context: ChannelHandlerContext
    ) {
        let now = NIODeadline.now()
        presence.noteActivity(at: now)
        var client = client
        client.idleTimeout = admission.idleTimeout.tenthsOfSeconds
        switch loop.answer(message, from: client, at: now) {
        case .reply(let frame): context.write(wrapOutboundOut(frame), promise: nil)
        case .forward: forward(message, from: client, context)
        case .drop: finish(context)
        }
    }

    private func forward(
        _ message: ByteBuffer,
        from client: Client,
        _ context: ChannelHandlerContext
    ) {
        setWaiting(waiting + 1)
        let eventLoop = context.eventLoop
        let origin = NIOLoopBound((self, context), eventLoop: eventLoop)
        forwarder.forward(Array(message.readableBytesView), from: client) { response in
            eventLoop.execute {
                let (connection, context) = origin.value
                connection.deliver(response, context)
            }
        }
    }

    // MARK: Out

    private func deliver(_ response: [UInt8]?, _ context: ChannelHandlerContext) {
        guard let presence else { return }
        setWaiting(waiting - 1)
        presence.noteActivity(at: .now())
        if let response, response.count <= Int(UInt16.max) {
            let frame = StreamFrame.framed(response.span)
            context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
        } else {
            finish(context)
        }
        closeIfPeerDoesNotRead(context)
        resume(context)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        resume(context)
        context.fireChannelWritabilityChanged()
    }

    func read(context: ChannelHandlerContext) {
        if mayTakeMore(context), !hasInputEnded { context.read() } else { owesRead = true }
    }

    private func resume(_ context: ChannelHandlerContext) {
        guard !isAdvancing else { return }
        advance(context)
        if case .finishing = phase { return closeWhenFlushed(context) }
        guard owesRead, !hasInputEnded, mayTakeMore(context) else { return }
        owesRead = false
        context.read()
    }

    private func mayTakeMore(_ context: ChannelHandlerContext) -> Bool {
        switch phase {
        case .introducing: return true
        case .serving: break
        case .opening, .finishing, .closed: return false
        }
        return waiting < admission.limits.queriesInFlight && context.channel.isWritable
    }

    private func setWaiting(_ count: Int) {
        waiting = count
        presence?.noteWaiting(count > 0)
    }

    // MARK: The end

    /// Takes no more queries; what has been taken is still answered.
    private func finish(_ context: ChannelHandlerContext) {
        guard case .serving(_, let presence) = phase else { return }
        phase = .finishing(presence)
        closeWhenFlushed(context)
    }

    private func closeWhenFlushed(_ context: ChannelHandlerContext) {
        guard waiting == 0 else { return }
        let origin = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in
            origin.value.close(promise: nil)
        }
    }

    private func closeIfPeerDoesNotRead(_ context: ChannelHandlerContext) {
        guard bufferedOctets(context) > admission.limits.closingOctets else { return }
        closeAtOnce(context)
    }

    private func bufferedOctets(_ context: ChannelHandlerContext) -> Int {
        (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    /// Closes; with a reset if the peer did not take its replies, so that the kernel drops them, too.
    private func closeAtOnce(_ context: ChannelHandlerContext) {
        if bufferedOctets(context) > 0 {
            let reset = linger(l_onoff: 1, l_linger: 0)
            _ = (context.channel as? any SocketOptionProvider)?.setSoLinger(reset)
        }
        context.close(promise: nil)
    }

    /// Looks four times per idle timeout whether the connection still does anything.
    ///
    /// A peer that takes no replies gets none of its queries taken, so it goes idle, too.
    private func startWatch(_ context: ChannelHandlerContext) {
        let period = TimeAmount.nanoseconds(admission.limits.idleTimeout.nanoseconds / 4)
        let origin = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        watch = context.eventLoop.scheduleRepeatedTask(initialDelay: period, delay: period) { _ in
            let (connection, context) = origin.value
            guard let presence = connection.presence,
                NIODeadline.now() - presence.lastActivity >= connection.patience
            else { return }
            connection.closeAtOnce(context)
        }
    }

    private var patience: TimeAmount {
        waiting > 0 ? admission.limits.answerTimeout : admission.idleTimeout
    }
}

extension TimeAmount {
    /// As edns-tcp-keepalive counts (RFC 7828 §3.1).
    fileprivate var tenthsOfSeconds: UInt16 { UInt16(clamping: nanoseconds / 100_000_000) }
}
