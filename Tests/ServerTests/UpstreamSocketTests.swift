import CSockets
import DNSWire
import Glibc
import Sockets
import TestSupport
import Testing

@testable import Server
@testable import Upstream

/// A worker's sockets to one upstream, which the test simulates.
@Suite struct `Upstream sockets` {
    @safe private struct Rig: ~Copyable {
        var sockets: UpstreamSockets
        var random: RandomPool
        let epoll: Epoll
        let upstream: BoundSocket
        var answers = AnswerBatch()

        init(limit: Int = 1024, ports: PortSet = .unprivileged) throws {
            let epoll = try Epoll()
            let upstream = try BoundSocket(kind: .datagram)
            self.epoll = epoll
            self.upstream = upstream
            sockets = UpstreamSockets(limit: limit, ports: ports)
            random = .system()
        }

        /// Sends a query; returns the socket's address as the upstream sees it.
        mutating func ask(
            id: UInt16,
            attempt: Int,
            of other: BoundSocket? = nil,
            now: Milliseconds = 0
        ) throws -> sockaddr_in {
            let upstream = other ?? upstream
            let code = send(id: id, attempt: attempt, to: upstream, now: now)
            sockets.flush()
            #expect(code == 0)
            let failure = sockets.takeFailure()
            #expect(failure == nil)
            return try #require(upstream.receive()).peer
        }

        /// Adds a query to the batch; returns the error if no socket is available.
        mutating func send(
            id: UInt16,
            attempt: Int,
            to upstream: BoundSocket,
            now: Milliseconds = 0
        ) -> Int32 {
            let message = QueryMessage.of("www.example.org", id: id)
            return sockets.send(
                message.span,
                attempt: AttemptID(attempt),
                to: AddressAndPort(IPAddress(v4: 0x7F00_0001), port: upstream.port),
                epoll: epoll,
                now: now,
                random: &random
            )
        }

        /// The messages that the readable socket has received.
        mutating func receive() throws -> [Datagram] {
            #expect(epoll.wait(timeout: 10_000) > 0)
            let number = Int(epoll.token(at: 0))
            guard case .datagrams(let count) = sockets.receive(from: number, into: &answers) else {
                return []
            }
            return (0..<count).map { index in
                // Sound: nothing more is received meanwhile.
                let message = unsafe answers.message(at: index)
                return Datagram(
                    subject: unsafe sockets.subject(of: message.span, at: number),
                    length: message.count,
                    isWhole: answers.isWhole(at: index)
                )
            }
        }
    }

    private struct Datagram: Equatable {
        var subject: UpstreamSockets.Subject
        var length: Int
        var isWhole = true
    }

    @Test func `attack 7: an answer on another question's socket is nobody's`() throws {
        var rig = try Rig()
        let first = try rig.ask(id: 1, attempt: 11)
        var second = try rig.ask(id: 2, attempt: 22)
        // A port is drawn again once in 256 times.
        while second.sin_port == first.sin_port {
            rig.sockets.forget(AttemptID(22))
            second = try rig.ask(id: 2, attempt: 22)
        }
        rig.upstream.send(QueryMessage.of("www.example.org", id: 1), to: second)
        let astray = try rig.receive()
        #expect(astray.map(\.subject) == [.stray([AttemptID(22)])])
        rig.upstream.send(QueryMessage.of("www.example.org", id: 1), to: first)
        let right = try rig.receive()
        #expect(right.map(\.subject) == [.attempt(AttemptID(11))])
    }

    @Test func `are as many as there may be, and then serve several questions each`() throws {
        var rig = try Rig(limit: 16)
        var ports: Set<UInt16> = []
        for number in 0..<500 {
            let peer = try rig.ask(id: UInt16(number), attempt: number)
            ports.insert(peer.sin_port)
            #expect(rig.sockets.count <= 16)
        }
        #expect((4...16).contains(ports.count))
    }

    @Test
    func `leave sockets for other upstreams, and an idle one gives its place to one that has none`()
        throws
    {
        var rig = try Rig(limit: 16)
        for number in 0..<100 { _ = try rig.ask(id: UInt16(number), attempt: number) }
        #expect(rig.sockets.count <= 8)
        let others = try (0..<16).map { _ in try BoundSocket(kind: .datagram) }
        for (number, other) in others.enumerated() {
            for attempt in 0..<100 { rig.sockets.forget(AttemptID(attempt)) }
            let attempt = 1000 + number
            _ = try rig.ask(id: 1, attempt: attempt, of: other)
            rig.sockets.forget(AttemptID(attempt))
            #expect(rig.sockets.count <= 16)
        }
    }

    @Test
    func `of upstreams that have several are closed for one that has none, though questions wait`()
        throws
    {
        var rig = try Rig(limit: 4)
        for number in 0..<50 { _ = try rig.ask(id: UInt16(number), attempt: number) }
        let others = try (0..<6).map { _ in try BoundSocket(kind: .datagram) }
        var last: sockaddr_in?
        for (number, other) in others.enumerated() {
            last = try rig.ask(id: 7, attempt: 100 + number, of: other)
            #expect(rig.sockets.count <= 4)
        }
        // Attempts of closed sockets end nothing on the sockets that took their places.
        for attempt in 0..<50 { rig.sockets.forget(AttemptID(attempt)) }
        for attempt in 100..<105 { rig.sockets.forget(AttemptID(attempt)) }
        others[5].send(QueryMessage.of("www.example.org", id: 7), to: try #require(last))
        let datagrams = try rig.receive()
        #expect(datagrams.map(\.subject) == [.attempt(AttemptID(105))])
    }

    @Test func `are renewed while there are as many as there may be`() throws {
        var rig = try Rig(limit: 4)
        var ports: Set<UInt16> = []
        for number in 0..<1000 {
            let peer = try rig.ask(id: UInt16(number), attempt: number)
            rig.sockets.forget(AttemptID(Int(number)))
            ports.insert(peer.sin_port)
        }
        #expect(ports.count > 4)
    }

    @Test func `come from the ports that are given, and are shared where these are taken`() throws {
        let taken = try BoundSocket(kind: .datagram)
        let given = PortSet([taken.port...taken.port, 40_000...40_009])
        var rig = try Rig(ports: given)
        var ports: Set<UInt16> = []
        for number in 0..<300 {
            let peer = try rig.ask(id: UInt16(number), attempt: number)
            ports.insert(UInt16(bigEndian: peer.sin_port))
        }
        #expect(ports.isSubset(of: Set(40_000...40_009)))
        #expect(!ports.contains(taken.port))
    }

    @Test func `are no more than a worker's part of the ports, so that no upstream takes them all`()
        throws
    {
        var rig = try Rig(ports: PortSet([41_000...41_007]))
        for number in 0..<100 {
            _ = try rig.ask(id: UInt16(number), attempt: number)
        }
        #expect(rig.sockets.count <= 4)
        let others = try (0..<12).map { _ in try BoundSocket(kind: .datagram) }
        for (number, other) in others.enumerated() {
            _ = try rig.ask(id: 1, attempt: 1000 + number, of: other)
            #expect(rig.sockets.count <= 8)
        }
    }

    @Test func `attack 1: only the upstream's own address and port is listened to`() throws {
        var rig = try Rig()
        let peer = try rig.ask(id: 1, attempt: 11)
        let stranger = try BoundSocket(kind: .datagram)
        stranger.send(QueryMessage.of("www.example.org", id: 1), to: peer)
        rig.upstream.send([0, 1, 2], to: peer)
        // The stranger's datagram would have arrived first.
        let datagrams = try rig.receive()
        #expect(datagrams == [Datagram(subject: .attempt(AttemptID(11)), length: 3)])
    }

    @Test func `attack 6: a port where somebody guesses serves no other question`() throws {
        var rig = try Rig()
        let peer = try rig.ask(id: 1, attempt: 11)
        for id: UInt16 in 5..<8 {
            rig.upstream.send(QueryMessage.of("www.example.org", id: id), to: peer)
            _ = try rig.receive()
        }
        for id: UInt16 in 100..<1_100 {
            let other = try rig.ask(id: id, attempt: Int(id))
            #expect(other.sin_port != peer.sin_port)
            rig.sockets.forget(AttemptID(Int(id)))
        }
    }

    @Test func `attack 6: a port serves a few questions and a few seconds`() throws {
        var rig = try Rig()
        var uses: [in_port_t: Int] = [:]
        for id: UInt16 in 0..<3_000 {
            uses[try rig.ask(id: id, attempt: Int(id) + 1).sin_port, default: 0] += 1
            rig.sockets.forget(AttemptID(Int(id) + 1))
        }
        // A released port may be drawn again, which happens less than once in such a run.
        #expect(uses.values.count { $0 > 32 } <= 5)
        #expect(uses.count > 150)
        var known = 0
        for id: UInt16 in 3_000..<3_100 {
            let port = try rig.ask(id: id, attempt: Int(id) + 1, now: 10_000).sin_port
            if uses[port] != nil { known += 1 }
        }
        #expect(known <= 5)
    }

    @Test(arguments: [1, 4])
    func `a port that has served its questions is replaced though there may be no more sockets`(
        limit: Int
    ) throws {
        var rig = try Rig(limit: limit)
        var ports: [UInt16: Int] = [:]
        for number in 0..<400 {
            let peer = try rig.ask(id: UInt16(number), attempt: number)
            ports[peer.sin_port, default: 0] += 1
            rig.sockets.forget(AttemptID(number))
        }
        // A port may be drawn again once it is free.
        #expect(ports.values.allSatisfy { $0 <= 64 })
        #expect(rig.sockets.count <= limit)
    }

    @Test func `a late and a second answer are not taken for guesses`() throws {
        var rig = try Rig()
        let peer = try rig.ask(id: 1, attempt: 11)
        rig.sockets.forget(AttemptID(11))
        rig.upstream.send(QueryMessage.of("www.example.org", id: 1), to: peer)
        let datagrams = try rig.receive()
        #expect(datagrams.map(\.subject) == [.late])
        #expect(rig.sockets.strays == 0)
    }

    @Test(.enabled(if: geteuid() == 0, "needs root, for a raw socket"))
    func `attack 10: a datagram that came in fragments is told from a whole one`() throws {
        var rig = try Rig()
        let peer = try rig.ask(id: 1, attempt: 11)
        let message = QueryMessage.of("www.example.org", id: 1)
        let port = rig.upstream.port
        let length = UInt16(8 + message.count)
        let words = [port, UInt16(bigEndian: peer.sin_port), length, 0]
        let datagram = words.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] } + message
        try Self.sendRaw(datagram[..<16], offset: 0, hasMore: true)
        try Self.sendRaw(datagram[16...], offset: 16, hasMore: false)
        let datagrams = try rig.receive()
        #expect(
            datagrams == [
                Datagram(
                    subject: .attempt(AttemptID(11)),
                    length: message.count,
                    isWhole: false
                )
            ]
        )
    }

    /// Sends an IP fragment of a UDP datagram from 127.0.0.1 to itself.
    static func sendRaw(
        _ payload: ArraySlice<UInt8>,
        offset: UInt16,
        hasMore: Bool
    ) throws {
        let raw = socket(AF_INET, Int32(SOCK_RAW.rawValue), Int32(IPPROTO_RAW))
        try #require(raw >= 0)
        defer { _ = close(raw) }
        let size = UInt16(20 + payload.count)
        let place = offset / 8 | (hasMore ? 0x2000 : 0)
        let words: [UInt16] = [0x4500, size, 0x1234, place, 0x4011, 0, 0x7F00, 1, 0x7F00, 1]
        let packet = words.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] } + payload
        var peer = BoundSocket.name("127.0.0.1", 0)
        // Sound: packet and address outlive the call that gets their sizes.
        let sent = unsafe withUnsafePointer(to: &peer) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe sendto(raw, packet, packet.count, 0, $0, socklen_t(16))
            }
        }
        try #require(sent == packet.count)
    }

    @Test func `a datagram that is longer than any answer should be is told from a whole one`()
        throws
    {
        var rig = try Rig()
        let peer = try rig.ask(id: 1, attempt: 11)
        let message = QueryMessage.of("www.example.org", id: 1)
        rig.upstream.send(message + [UInt8](repeating: 0, count: 5000), to: peer)
        let datagrams = try rig.receive()
        #expect(datagrams.map(\.subject) == [.attempt(AttemptID(11))])
        #expect(datagrams.map(\.isWhole) == [false])
    }

    @Test func `what is sent together leaves from one port, as far as that may serve`() throws {
        var rig = try Rig()
        var ports: [[in_port_t]] = []
        for batch in 0..<4 {
            for number in 0..<48 {
                let code = rig.send(
                    id: UInt16(number),
                    attempt: 48 * batch + number,
                    to: rig.upstream
                )
                #expect(code == 0)
            }
            rig.sockets.flush()
            ports.append(
                try (0..<48).map { _ in try #require(rig.upstream.receive()).peer.sin_port }
            )
        }
        for batch in ports {
            #expect(Set(batch.prefix(32)).count == 1)
            #expect(Set(batch).count == 2)
        }
        #expect(Set(ports.flatMap { $0 }).count == 8)
    }

    @Test func `what is sent together goes to each upstream from a port of its own`() throws {
        var rig = try Rig()
        let other = try BoundSocket(kind: .datagram)
        for number in 0..<10 {
            let code = rig.send(
                id: UInt16(number),
                attempt: number,
                to: number % 2 == 0 ? rig.upstream : other
            )
            #expect(code == 0)
        }
        rig.sockets.flush()
        let received = try [rig.upstream, other].map { upstream in
            try (0..<5).map { _ in try #require(upstream.receive()) }
        }
        #expect(received.map { Set($0.map(\.peer.sin_port)).count } == [1, 1])
        #expect(received[0].map { $0.octets[1] } == [0, 2, 4, 6, 8])
        #expect(received[1].map { $0.octets[1] } == [1, 3, 5, 7, 9])
    }

    @Test func `one query that the system does not take keeps none of the others back`() throws {
        var rig = try Rig(limit: 1)
        let port: UInt16
        do {
            let closed = try BoundSocket(kind: .datagram)
            port = closed.port
            let code = rig.send(id: 1, attempt: 1, to: closed)
            #expect(code == 0)
        }
        rig.sockets.flush()
        // The kernel reports the missing listener only with the next call.
        let reopened = try BoundSocket(kind: .datagram, port: port)
        for number in 2..<5 {
            let code = rig.send(id: UInt16(number), attempt: number, to: reopened)
            #expect(code == 0)
        }
        rig.sockets.flush()
        let failure = rig.sockets.takeFailure()
        #expect(failure?.attempt == AttemptID(2))
        #expect(failure?.code == ECONNREFUSED)
        let another = rig.sockets.takeFailure()
        #expect(another == nil)
        let ids = try (0..<2).map { _ in try #require(reopened.receive()).octets[1] }
        #expect(ids == [3, 4])
    }

    @Test func `attack 10: what is sent has DF, and no router's word makes it smaller`() throws {
        var random = RandomPool.system()
        let upstream = try BoundSocket(kind: .datagram)
        let descriptor = try ConnectedSocket.open(
            to: AddressAndPort(IPAddress(v4: 0x7F00_0001), port: upstream.port),
            from: .unprivileged,
            random: &random
        )
        defer { _ = close(descriptor) }
        let address = AddressAndPort(IPAddress(v4: 0x7F00_0001), port: 0)
        let listener = try ListenerSocket(address, sharing: false)
        for socket in [descriptor, listener.descriptor] {
            var value: Int32 = -1
            var size = socklen_t(4)
            // Sound: the option's value is an int of this size.
            _ = unsafe getsockopt(
                socket,
                Int32(IPPROTO_IP),
                csockets_ip_path_mtu,
                &value,
                &size
            )
            #expect(value == csockets_ip_path_mtu_probe)
        }
    }
}
