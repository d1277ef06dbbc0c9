import DNSWire
import Glibc
import Server
import Snapshot
import Sockets

/// One question to upstreams, asked in their order by somebody who can wait.
struct StubQuery {
    let name: DomainName
    let type: RecordType
    /// RD; without it a server answers from its own zones alone.
    var wantsRecursion = true

    private static let patience = timeval(tv_sec: 2, tv_usec: 0)

    /// The rdata of the records of the type in the first answer that comes, whatever their owner; nil
    /// without one.
    ///
    /// An answer that does not fit into a datagram is asked for again over TCP (RFC 7766 §5). SERVFAIL,
    /// REFUSED and the like are no answer.
    func ask(_ upstreams: [AddressAndPort]) -> [[UInt8]]? {
        for upstream in upstreams {
            if let message = exchange(upstream), let records = records(in: message) {
                return records
            }
        }
        return nil
    }

    /// What one upstream replies, whatever it says; nil if that is nothing.
    func exchange(_ upstream: AddressAndPort) -> [UInt8]? {
        guard let reply = exchangeDatagrams(upstream) else { return nil }
        return reply[2] & 0x02 == 0 ? reply : exchangeOverStream(upstream)
    }

    private func exchangeDatagrams(_ upstream: AddressAndPort) -> [UInt8]? {
        withSocket(SOCK_DGRAM, to: upstream) { descriptor in
            let query = query()
            var reply = [UInt8](repeating: 0, count: 4096)
            // Sound: each buffer is an array, passed with its size.
            guard unsafe send(descriptor, query, query.count, Int32(MSG_NOSIGNAL)) == query.count,
                case let count = unsafe recv(descriptor, &reply, reply.count, 0), count >= 12
            else { return nil }
            reply.removeSubrange(count...)
            return answers(reply, query) ? reply : nil
        }
    }

    /// Each message has its length in front (RFC 1035 §4.2.2).
    private func exchangeOverStream(_ upstream: AddressAndPort) -> [UInt8]? {
        withSocket(SOCK_STREAM, to: upstream) { descriptor in
            let query = query()
            let framed = [UInt8(query.count >> 8), UInt8(query.count & 0xFF)] + query
            // Sound: the buffer is an array, passed with its size.
            guard
                unsafe send(descriptor, framed, framed.count, Int32(MSG_NOSIGNAL)) == framed.count,
                let length = receive(2, from: descriptor),
                let reply = receive(Int(length[0]) << 8 | Int(length[1]), from: descriptor)
            else { return nil }
            return answers(reply, query) ? reply : nil
        }
    }

    /// Exactly `count` octets of a stream; nil if it ends before, or is silent for too long.
    private func receive(_ count: Int, from descriptor: Int32) -> [UInt8]? {
        var octets: [UInt8] = []
        // An upstream that sends an octet at a time would have more patience otherwise.
        let deadline = ContinuousClock.now + .seconds(4)
        while octets.count < count, ContinuousClock.now < deadline {
            var part = [UInt8](repeating: 0, count: count - octets.count)
            // Sound: the buffer is an array, passed with its size.
            let length = unsafe recv(descriptor, &part, part.count, 0)
            guard length > 0 else { return nil }
            octets += part[..<length]
        }
        return octets.count == count ? octets : nil
    }

    /// Runs `body` with a socket that is connected to the upstream and closed afterwards.
    private func withSocket(
        _ kind: __socket_type,
        to upstream: AddressAndPort,
        _ body: (Int32) -> [UInt8]?
    ) -> [UInt8]? {
        let family = upstream.address.isV4 ? AF_INET : AF_INET6
        let descriptor = socket(family, Int32(kind.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var patience = Self.patience
        let size = socklen_t(MemoryLayout<timeval>.size)
        // Sound: the value outlives the calls, and its size is given. The one for sending bounds `connect`.
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, size)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, size)
        return SocketName.connect(descriptor, to: upstream) == 0 ? body(descriptor) : nil
    }

    // MARK: Messages

    /// A query with a random ID and an OPT.
    private func query() -> [UInt8] {
        let id = UInt16.random(in: 0...UInt16.max)
        var query: [UInt8] = []
        query.append(bigEndian: id)
        query += [wantsRecursion ? 1 : 0, 0, 0, 1, 0, 0, 0, 0, 0, 1] + name.octets
        query.append(bigEndian: type.rawValue)
        query += [0, 1, 0, 0, 41]
        query.append(bigEndian: Query.EDNS.safePayloadSize)
        return query + [0, 0, 0, 0, 0, 0]
    }

    private func answers(_ reply: [UInt8], _ query: [UInt8]) -> Bool {
        reply.count >= 12 && reply.prefix(2) == query.prefix(2) && reply[2] & 0x80 != 0
    }

    private func records(in message: [UInt8]) -> [[UInt8]]? {
        guard var reader = try? MessageReader(message.span), reader.questionCount == 1,
            reader.rcode == .noError || reader.rcode == .nonexistentDomain,
            (try? reader.skipQuestion(of: message.span)) != nil
        else { return nil }
        var found: [[UInt8]] = []
        while let record = try? reader.next(in: message.span) {
            guard record.section == .answer, record.type == type else { continue }
            found.append(Array(message[record.rdata..<record.rdataEnd]))
        }
        return found
    }
}
