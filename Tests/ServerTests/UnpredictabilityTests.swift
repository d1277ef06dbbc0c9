import DNSWire
import Foundation
import Glibc
import Snapshot
import Sockets
import TestSupport
import Testing

@testable import Resolver
@testable import Server
@testable import Upstream

@Suite struct `What an attacker has to guess` {
    /// 10^5 draws.
    private static let count = 100_000

    /// The distance of the counts from equality, in standard deviations of the chi-square
    /// distribution.
    private static func deviation(of counts: [Int], expecting expected: Double) -> Double {
        let square = counts.reduce(0.0) { $0 + pow(Double($1) - expected, 2) / expected }
        let freedom = Double(counts.count - 1)
        return (square - freedom) / (2 * freedom).squareRoot()
    }

    private static func ids() -> [UInt16] {
        var random = RandomPool.system()
        let question = UpstreamQuestion(
            routeID: 1,
            type: .a,
            dnssecOK: false,
            checkingDisabled: false
        )
        let name = DomainName("www.example.org") ?? .root
        let message = UnsafeMutableRawBufferPointer.allocate(
            byteCount: UpstreamMessage.size(nameLength: name.octets.count, withOPT: false),
            alignment: 8
        )
        defer { unsafe message.deallocate() }
        return (0..<count).map { _ in
            // Sound: the memory has as many octets as the message.
            unsafe UpstreamMessage.write(
                question,
                name: name.octets.span,
                .mixesCase,
                wantsAD: false,
                over: message,
                random: &random
            )
            return unsafe UInt16(message[0]) << 8 | UInt16(message[1])
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
            // One run in a hundred thousand has a larger distance.
            #expect(abs(Self.deviation(of: counts, expecting: expected)) < 4.8)
        }
    }

    @Test func `attack 2: ports are spread evenly over all from 1024 up`() {
        var random = RandomPool.system()
        var counts = [Int](repeating: 0, count: 252)
        var smallest = UInt16.max
        var largest: UInt16 = 0
        for _ in 0..<Self.count {
            let port = ConnectedSocket.drawPort(of: .unprivileged, &random)
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
                        to: AddressAndPort(IPAddress(v4: 0x7F00_0001), port: upstream.port),
                        from: .unprivileged,
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
