import DNSWire
import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import Snapshot
import Upstream

/// The outcome of one check of an address.
enum HealthOutcome: Sendable {
    case passed
    /// The reason, which log messages show after "is down:".
    case failed(String)
    /// This machine could not make the check, which says nothing about the address.
    case unknown
}

/// Runs one health check: a TCP connection or an HTTPS request.
struct HealthProbe: Sendable {
    private let group: any EventLoopGroup
    private let tls: NIOSSLContext?

    init(on group: any EventLoopGroup) {
        self.group = group
        var settings = TLSConfiguration.makeClientConfiguration()
        // Connections to an ENI's address cannot verify a name. Load balancers do not verify it,
        // either.
        settings.certificateVerification = .none
        settings.trustRoots = .certificates([])
        tls = try? NIOSSLContext(configuration: settings)
    }

    /// Succeeds with the outcome, at the latest after the check's timeout.
    func run(_ target: HealthTarget) -> EventLoopFuture<HealthOutcome> {
        let loop = group.next()
        let place = AddressAndPort(target.address, port: target.check.port)
        guard let address = try? SocketAddress(place) else {
            return loop.makeSucceededFuture(.unknown)
        }
        let outcome = loop.makePromise(of: HealthOutcome.self)
        let timeout = TimeAmount.seconds(Int64(target.check.timeout))
        let deadline = loop.scheduleTask(in: timeout) {
            outcome.succeed(.failed("no answer in \(target.check.timeout)s"))
        }
        ClientBootstrap(group: loop)
            .connectTimeout(timeout)
            .channelInitializer { prepare($0, target, outcome) }
            .connect(to: address)
            .whenComplete { result in
                switch result {
                case .failure(let error): outcome.succeed(Self.outcome(of: error, target.check))
                case .success(let channel):
                    if target.check.path == nil { outcome.succeed(.passed) }
                    outcome.futureResult.whenComplete { _ in channel.close(promise: nil) }
                }
            }
        outcome.futureResult.whenComplete { _ in deadline.cancel() }
        return outcome.futureResult
    }

    private func prepare(
        _ channel: any Channel,
        _ target: HealthTarget,
        _ outcome: EventLoopPromise<HealthOutcome>
    ) -> EventLoopFuture<Void> {
        channel.eventLoop.makeCompletedFuture {
            guard let path = target.check.path, let tls else { return }
            let host = "\(target.zone)".trimmingDot
            let handlers = channel.pipeline.syncOperations
            try handlers.addHandler(NIOSSLClientHandler(context: tls, serverHostname: host))
            try handlers.addHandler(HealthRequest(path: path, host: host, outcome: outcome))
        }
    }

    private static func outcome(of error: any Error, _ check: HealthCheck) -> HealthOutcome {
        if let error = error as? IOError {
            let own = [EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL]
            if own.contains(error.errnoCode) { return .unknown }
            // Sound: the text is copied at once.
            return .failed(unsafe String(cString: strerror(error.errnoCode)).lowercased())
        }
        if case .connectTimeout = error as? ChannelError {
            return .failed("no answer in \(check.timeout)s")
        }
        return .failed("\(error)")
    }
}

/// Requests one page over TLS, and reads the status line of the response.
private final class HealthRequest: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Octets of `HTTP/1.1 200`.
    ///
    /// Nothing after them is read (RFC 9112 §4).
    private static let statusLength = 12

    private let path: String
    private let host: String
    private let outcome: EventLoopPromise<HealthOutcome>
    private var received = ""

    init(path: String, host: String, outcome: EventLoopPromise<HealthOutcome>) {
        self.path = path
        self.host = host
        self.outcome = outcome
    }

    func channelActive(context: ChannelHandlerContext) {
        let text =
            "GET \(path) HTTP/1.1\r\nHost: \(host)\r\nUser-Agent: zonal-health\r\n"
            + "Accept: */*\r\nConnection: close\r\n\r\n"
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        let wanted = Self.statusLength - received.utf8.count
        let count = min(max(wanted, 0), buffer.readableBytes)
        received += buffer.readString(length: count) ?? ""
        guard received.utf8.count >= Self.statusLength else { return }
        outcome.succeed(Self.outcome(of: received))
    }

    /// Returns the outcome for a status line; 2xx and 3xx pass.
    private static func outcome(of line: String) -> HealthOutcome {
        guard line.hasPrefix("HTTP/1."), let status = Int(line.suffix(3)) else {
            return .failed("no HTTP over TLS")
        }
        return (200..<400).contains(status) ? .passed : .failed("HTTP status \(status)")
    }

    func channelInactive(context: ChannelHandlerContext) {
        outcome.succeed(.failed("closed without an answer"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        outcome.succeed(.failed("TLS failed"))
        context.close(promise: nil)
    }
}

extension String {
    /// The name without its final dot, as certificates and `Host` have it.
    fileprivate var trimmingDot: String { hasSuffix(".") ? String(dropLast()) : self }
}
