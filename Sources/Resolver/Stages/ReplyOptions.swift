import DNSWire
import Snapshot

/// The options of a reply's OPT record, except extended errors: those that the client asked for.
struct ReplyOptions: BitwiseCopyable {
    /// The client's cookie with a new server cookie (RFC 7873 §5.2.3).
    private var cookie: Cookie?
    private var cookieState = CookieState.absent
    /// The idle timeout of the client's connection, in tenths of a second (RFC 7828 §3.3.2).
    private var idleTimeout: UInt16?
    /// Octets of the server's identifier (NSID, RFC 5001); 0 without one.
    private var identifierLength = 0

    /// What the query's cookie says about the client.
    private enum CookieState: BitwiseCopyable {
        case absent
        /// A client cookie without a server cookie.
        case new
        /// A server cookie that we recently gave to this address, so the address is not forged.
        case good
        /// A server cookie that we did not give to this address, or not recently.
        case bad
    }

    /// No options.
    init() {}

    /// Reads the query's options; `time` is in seconds since 1970.
    init(
        for query: Query,
        _ message: Span<UInt8>,
        from client: Client,
        in snapshot: borrowing CompiledSnapshot,
        time: UInt32
    ) {
        guard let asked = query.edns?.options else { return }
        if asked.asksForIdentifier { identifierLength = snapshot.identity.name.count }
        if asked.asksForKeepalive, client.transport == .stream { idleTimeout = client.idleTimeout }
        guard let place = asked.cookie, let secrets = snapshot.cookieSecrets,
            var cookie = Cookie(reading: message, at: place)
        else { return }
        if place.length == Self.clientCookieSize {
            cookieState = .new
        } else {
            let isOurs = secrets.accept(cookie, from: client.address, time: time)
            cookieState = isOurs ? .good : .bad
        }
        cookie.server = secrets.cookie(for: cookie.client, at: client.address, time: time)
        self.cookie = cookie
    }

    /// Octets of the options, their headers included.
    var size: Int {
        (identifierLength > 0 ? 4 + identifierLength : 0)
            + (cookie == nil ? 0 : 4 + Self.cookieSize) + (idleTimeout == nil ? 0 : 4 + 2)
    }

    /// True if the client sent a cookie that we gave to its address, so that the address is not
    /// forged.
    var showsTrueAddress: Bool { cookieState == .good }

    private static let clientCookieSize = 8
    private static let cookieSize = clientCookieSize + ServerCookie.size

    /// The rcode of the reply to a query for a cookie alone (RFC 7873 §5.4).
    var cookieOutcome: ResponseCode {
        switch cookieState {
        case .absent: .formatError
        case .new, .good: .noError
        case .bad: .badCookie
        }
    }

    func write(from snapshot: borrowing CompiledSnapshot, into reply: inout ReplyWriter) {
        if identifierLength > 0 {
            reply.write16(EDNSOptions.Code.identifier)
            reply.write16(UInt16(truncatingIfNeeded: identifierLength))
            snapshot.identity.name.withOctets { reply.write($0) }
        }
        if let cookie, let server = cookie.server {
            reply.write16(EDNSOptions.Code.cookie)
            reply.write16(UInt16(truncatingIfNeeded: Self.cookieSize))
            reply.write64(cookie.client)
            reply.write64(server.head)
            reply.write64(server.hash)
        }
        if let idleTimeout {
            reply.write16(EDNSOptions.Code.keepalive)
            reply.write16(2)
            reply.write16(idleTimeout)
        }
    }
}
