import NIOCore

/// One connection to an upstream, on which answers arrive in any order.
final class UpstreamConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// A question in flight.
    struct Asked {
        var question: ConnectionQuestion
        var deadline: NIODeadline
        var timer: Scheduled<Void>
    }

    private let eventLoop: any EventLoop
    private let limits: ConnectionLimits
    /// Called once when the connection has ended, with the questions to ask over others.
    private let onEnd: (UpstreamConnection, [Asked]) -> Void

    private var phase = Phase.connecting
    private var frames = ReceivedFrames()
    /// The questions in flight by their IDs on this connection, which differ from the queries' own.
    private var asked: [UInt16: Asked] = [:]
    private var answerCount = 0
    /// A question timed out, so no new question is asked here.
    private var isDistrusted = false
    /// A question timed out while a message was incomplete.
    private var isStuck = false
    /// The connection ended after at most one answer, with more than one question in flight.
    ///
    /// Even one answer may be lost: when a server closes a connection with unread queries, its
    /// kernel resets the connection.
    private(set) var leftPipeline = false
    private var idleTimer: Scheduled<Void>?

    private enum Phase {
        case connecting
        case open(ChannelHandlerContext)
        case ended
    }

    init(
        eventLoop: any EventLoop,
        limits: ConnectionLimits,
        onEnd: @escaping (UpstreamConnection, [Asked]) -> Void
    ) {
        self.eventLoop = eventLoop
        self.limits = limits
        self.onEnd = onEnd
    }

    /// The number of questions in flight.
    var load: Int { asked.count }

    var takesQuestions: Bool {
        switch phase {
        case .connecting: !isDistrusted
        case .open(let context): !isDistrusted && context.channel.isWritable
        case .ended: false
        }
    }

    // MARK: Asking

    /// Sends the question now, or once the connection is established.
    func ask(_ question: ConnectionQuestion, until deadline: NIODeadline) {
        idleTimer?.cancel()
        var id = UInt16.random(in: .min ... .max)
        while asked[id] != nil { id &+= 1 }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let timer = eventLoop.scheduleTask(deadline: deadline) { [id] in bound.value.timeOut(id) }
        asked[id] = Asked(question: question, deadline: deadline, timer: timer)
        if case .open(let context) = phase { send(question, id, context) }
    }

    private func send(
        _ question: ConnectionQuestion,
        _ id: UInt16,
        _ context: ChannelHandlerContext
    ) {
        context.writeAndFlush(wrapOutboundOut(question.frame(id: id)), promise: nil)
    }

    private func timeOut(_ id: UInt16) {
        guard let lost = asked.removeValue(forKey: id) else { return }
        isDistrusted = true
        lost.question.report(.failure(.timeout))
        // An incomplete message blocks all messages behind it.
        isStuck = frames.isAmidMessage
        if asked.isEmpty || isStuck { close() }
    }

    // MARK: The connection

    func channelActive(context: ChannelHandlerContext) {
        guard case .connecting = phase else { return context.close(promise: nil) }
        phase = .open(context)
        for (id, asked) in asked { send(asked.question, id, context) }
        if asked.isEmpty { close() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var octets = unwrapInboundIn(data)
        frames.append(&octets)
        while true {
            switch frames.next() {
            case .incomplete: return
            case .notAMessage: return context.close(promise: nil)
            case .message(let message): take(message)
            }
        }
    }

    /// Takes a message; one that matches no question is ignored, and the question times out.
    private func take(_ message: ByteBuffer) {
        guard let id = message.getInteger(at: message.readerIndex, as: UInt16.self),
            let answered = asked[id],
            let answer = answered.question.answer(from: message)
        else { return }
        asked[id] = nil
        answerCount &+= 1
        answered.timer.cancel()
        answered.question.report(.success(answer))
        if asked.isEmpty { rest() }
    }

    private func rest() {
        guard !isDistrusted else { return close() }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        idleTimer = eventLoop.scheduleTask(in: limits.idleTimeout) { bound.value.close() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(code: Self.code(of: error))
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { end(code: 0) }

    /// Ends a connection that could not be made.
    func fail(_ error: any Error) { end(code: Self.code(of: error)) }

    func close() {
        if case .open(let context) = phase { context.close(promise: nil) }
        end(code: 0)
    }

    private func end(code: Int32) {
        if case .ended = phase { return }
        if case .open = phase, asked.count > 1, answerCount <= 1, !isStuck { leftPipeline = true }
        phase = .ended
        idleTimer?.cancel()
        let lost = asked.values
        asked = [:]
        for question in lost { question.timer.cancel() }
        onEnd(self, lost.compactMap { retry($0, code: code) })
    }

    /// Returns the question if it is worth asking elsewhere; else reports its failure and returns
    /// nil.
    ///
    /// Servers close a connection after a number of answers. So a question may be moved any number
    /// of times until its deadline, but only a few times from connections on which nothing was
    /// answered.
    private func retry(_ lost: Asked, code: Int32) -> Asked? {
        var lost = lost
        if answerCount == 0 { lost.question.retries += 1 }
        guard answerCount > 0 || isStuck || leftPipeline,
            lost.question.retries <= ConnectionQuestion.retryLimit
        else {
            lost.question.report(.failure(.connection(code: code)))
            return nil
        }
        return lost
    }

    private static func code(of error: any Error) -> Int32 {
        (error as? IOError)?.errnoCode ?? 0
    }
}
