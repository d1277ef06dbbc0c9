import DNSWire
import Foundation
import Glibc
import Snapshot
import TestSupport
import Testing

@testable import Resolver
@testable import Server

@Suite struct `What an attacker has to guess` {
    /// 10^5 draws.
    private static let count = 100_000

    /// How far counts are from being equal, in standard deviations of the chi-square distribution.
    private static func deviation(of counts: [Int], expecting expected: Double) -> Double {
        let square = counts.reduce(0.0) { $0 + pow(Double($1) - expected, 2) / expected }
        let freedom = Double(counts.count - 1)
        return (square - freedom) / (2 * freedom).squareRoot()
    }

    private static func ids() -> [UInt16] {
        var random = RandomPool.system()
        let question = UpstreamQuestion(
            rule: 0,
            routeID: 1,
            type: .a,
            dnssecOK: false,
            checkingDisabled: false
        )
        let name = DomainName("www.example.org") ?? .root
        return (0..<count).map { _ in
            UpstreamMessage(asking: question, name: name, options: .init(), random: &random).id
        }
    }

    @Test func `attack 2: IDs are spread evenly, and none says anything of the next`() {
        let ids = Self.ids()
        var high = [Int](repeating: 0, count: 256)
        var low = high
        var steps = high
        for (index, id) in ids.enumerated() {
            high[Int(id >> 8)] += 1
            low[Int(id & 0xFF)] += 1
            if index > 0 { steps[Int((id &- ids[index - 1]) >> 8)] += 1 }
        }
        let expected = Double(Self.count) / 256
        for counts in [high, low, steps] {
            // One run in a hundred thousand is further off.
            #expect(abs(Self.deviation(of: counts, expecting: expected)) < 4.8)
        }
    }

    @Test func `attack 2: ports are spread evenly over all from 1024 up`() {
        var random = RandomPool.system()
        var counts = [Int](repeating: 0, count: 252)
        var smallest = UInt16.max
        var largest: UInt16 = 0
        for _ in 0..<Self.count {
            let port = ConnectedSocket.drawPort(&random)
            counts[Int(port - 1024) / 256] += 1
            (smallest, largest) = (min(smallest, port), max(largest, port))
        }
        #expect(smallest < 1100 && largest > 65_450)
        let expected = Double(Self.count) / 252
        #expect(abs(Self.deviation(of: counts, expecting: expected)) < 4.8)
    }

    @Test func `attack 2: a port is that of no other worker or upstream`() throws {
        let upstreams = try (0..<2).map { _ in try BoundSocket(kind: .datagram) }
        var ports: [UInt16] = []
        var descriptors: [Int32] = []
        defer { for descriptor in descriptors { _ = close(descriptor) } }
        for _ in 0..<4 {
            var random = RandomPool.system()
            for upstream in upstreams {
                for _ in 0..<16 {
                    let descriptor = try ConnectedSocket.open(
                        to: Upstream(address: IPAddress(v4: 0x7F00_0001), port: upstream.port),
                        random: &random
                    )
                    descriptors.append(descriptor)
                    ports.append(try #require(SocketName.bound(descriptor)).port)
                }
            }
        }
        #expect(Set(ports).count == 128)
        let sorted = ports.sorted()
        let neighbours = zip(sorted, sorted.dropFirst()).count { $1 - $0 == 1 }
        #expect(neighbours < 5, "ports stand side by side")
    }
}

/// A worker's sockets towards one upstream that a test plays.
@Suite struct `Upstream sockets` {
    @safe private struct Rig: ~Copyable {
        var sockets: UpstreamSockets
        var random: RandomPool
        let epoll: Epoll
        let upstream: BoundSocket
        let buffer: UnsafeMutableRawBufferPointer

        init() throws {
            let epoll = try Epoll()
            let upstream = try BoundSocket(kind: .datagram)
            self.epoll = epoll
            self.upstream = upstream
            sockets = UpstreamSockets()
            random = .system()
            unsafe buffer = .allocate(byteCount: 65_536, alignment: 8)
        }

        deinit { unsafe buffer.deallocate() }

        /// Sends a query; the socket's name as the upstream sees it.
        mutating func ask(id: UInt16, attempt: UInt64, now: Milliseconds = 0) throws -> sockaddr_in {
            let code = sockets.send(
                QueryMessage.of("www.example.org", id: id),
                attempt: attempt,
                to: Upstream(address: IPAddress(v4: 0x7F00_0001), port: upstream.port),
                epoll: epoll,
                now: now,
                random: &random
            )
            #expect(code == 0)
            return try #require(upstream.receive()).peer
        }

        /// What the socket that is ready has received.
        mutating func receive() throws -> UpstreamSockets.Reception {
            #expect(epoll.wait(timeout: 10_000) > 0)
            guard case .upstream(let index) = epoll.event(at: 0) else {
                return .nothing
            }
            return unsafe sockets.receive(from: index, into: buffer)
        }
    }

    @Test func `attack 7: an answer on another question's socket is nobody's`() throws {
        var rig = try Rig()
        let first = try rig.ask(id: 1, attempt: 11)
        let second = try rig.ask(id: 2, attempt: 22)
        #expect(first.sin_port != second.sin_port)
        rig.upstream.send(QueryMessage.of("www.example.org", id: 1), to: second)
        guard case .stray([22]) = try rig.receive() else {
            Issue.record("the wrong question was answered")
            return
        }
        rig.upstream.send(QueryMessage.of("www.example.org", id: 1), to: first)
        guard case .message(_, 11, false) = try rig.receive() else {
            Issue.record("the right question was not answered")
            return
        }
    }

    @Test func `attack 1: only the upstream's own address and port is listened to`() throws {
        var rig = try Rig()
        let peer = try rig.ask(id: 1, attempt: 11)
        let stranger = try BoundSocket(kind: .datagram)
        stranger.send(QueryMessage.of("www.example.org", id: 1), to: peer)
        rig.upstream.send([0, 1, 2], to: peer)
        // The stranger's would have come first.
        guard case .message(3, 11, false) = try rig.receive() else {
            Issue.record("a stranger was heard")
            return
        }
    }

    @Test func `attack 6: a port where somebody guesses serves no other question`() throws {
        var rig = try Rig()
        let peer = try rig.ask(id: 1, attempt: 11)
        for id: UInt16 in 5..<8 {
            rig.upstream.send(QueryMessage.of("www.example.org", id: id), to: peer)
            _ = try rig.receive()
        }
        for id: UInt16 in 100..<1_100 {
            let other = try rig.ask(id: id, attempt: UInt64(id))
            #expect(other.sin_port != peer.sin_port)
            rig.sockets.forget(UInt64(id))
        }
    }

    @Test func `attack 6: a port serves a few questions and a few seconds`() throws {
        var rig = try Rig()
        var uses: [in_port_t: Int] = [:]
        for id: UInt16 in 0..<3_000 {
            uses[try rig.ask(id: id, attempt: UInt64(id) + 1).sin_port, default: 0] += 1
            rig.sockets.forget(UInt64(id) + 1)
        }
        #expect(uses.values.max() ?? 0 <= 32)
        #expect(uses.count > 150)
        for id: UInt16 in 3_000..<3_100 {
            let port = try rig.ask(id: id, attempt: UInt64(id) + 1, now: 10_000).sin_port
            #expect(uses[port] == nil)
            uses[port] = nil
        }
    }

    @Test func `a late and a second answer are not taken for guesses`() throws {
        var rig = try Rig()
        let peer = try rig.ask(id: 1, attempt: 11)
        rig.sockets.forget(11)
        rig.upstream.send(QueryMessage.of("www.example.org", id: 1), to: peer)
        guard case .late = try rig.receive() else {
            Issue.record("not late")
            return
        }
        #expect(rig.sockets.strays == 0)
    }
}
