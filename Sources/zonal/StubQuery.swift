import DNSWire
import Glibc
import Server
import Snapshot
import Sockets

/// A blocking DNS client: sends one query to upstreams in their order.
struct StubQuery {
    let name: DomainName
    let type: RecordType
    /// The RD flag.
    ///
    /// Without it, a server answers only from its own zones.
    var wantsRecursion = true

    private static let patience = timeval(tv_sec: 2, tv_usec: 0)

    /// Returns the rdata of all records of the type in the first usable answer; nil if there is
    /// none.
    ///
    /// A truncated answer is retried over TCP (RFC 7766 §5). Errors such as SERVFAIL and REFUSED
    /// are skipped.
    func ask(_ upstreams: [AddressAndPort]) -> [[UInt8]]? {
        for upstream in upstreams {
            if let message = exchange(upstream), let records = records(in: message) {
                return records
            }
        }
        return nil
    }

    /// Returns the reply of one upstream, whatever its rcode; nil if there is none.
    func exchange(_ upstream: AddressAndPort) -> [UInt8]? {
        guard let reply = exchangeDatagrams(upstream) else { return nil }
        return reply[2] & 0x02 == 0 ? reply : exchangeOverStream(upstream)
    }

    private func exchangeDatagrams(_ upstream: AddressAndPort) -> [UInt8]? {
        withSocket(SOCK_DGRAM, to: upstream) { descriptor in
            let query = query()
            var reply = [UInt8](repeating: 0, count: 4096)
            // Sound: each buffer is an array, passed with its length.
            guard unsafe send(descriptor, query, query.count, Int32(MSG_NOSIGNAL)) == query.count,
                case let count = unsafe recv(descriptor, &reply, reply.count, 0), count >= 12
            else { return nil }
            reply.removeSubrange(count...)
            return answers(reply, query) ? reply : nil
        }
    }

    /// Sends the query over TCP, where each message has a length prefix (RFC 1035 §4.2.2).
    private func exchangeOverStream(_ upstream: AddressAndPort) -> [UInt8]? {
        withSocket(SOCK_STREAM, to: upstream) { descriptor in
            let query = query()
            let framed = [UInt8(query.count >> 8), UInt8(query.count & 0xFF)] + query
            // Sound: the buffer is an array, passed with its length.
            guard
                unsafe send(descriptor, framed, framed.count, Int32(MSG_NOSIGNAL)) == framed.count,
                let length = receive(2, from: descriptor),
                let reply = receive(Int(length[0]) << 8 | Int(length[1]), from: descriptor)
            else { return nil }
            return answers(reply, query) ? reply : nil
        }
    }

    /// Reads exactly `count` octets; nil if the stream ends or stalls before.
    private func receive(_ count: Int, from descriptor: Int32) -> [UInt8]? {
        var octets: [UInt8] = []
        // A deadline for the whole read, since an upstream could send one octet per timeout.
        let deadline = ContinuousClock.now + .seconds(4)
        while octets.count < count, ContinuousClock.now < deadline {
            var part = [UInt8](repeating: 0, count: count - octets.count)
            // Sound: the buffer is an array, passed with its length.
            let length = unsafe recv(descriptor, &part, part.count, 0)
            guard length > 0 else { return nil }
            octets += part[..<length]
        }
        return octets.count == count ? octets : nil
    }

    /// Calls `body` with a connected socket and closes it afterwards.
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
        // Sound: the value outlives the calls, and its size is passed. SO_SNDTIMEO also limits
        // `connect`.
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, size)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, size)
        return SocketName.connect(descriptor, to: upstream) == 0 ? body(descriptor) : nil
    }

    // MARK: Messages

    /// Returns a query with a random ID and an OPT record.
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
