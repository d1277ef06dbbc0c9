import DNSWire
import Snapshot
import Testing

@testable import Resolver
@testable import Upstream

@Suite struct `What is told of an upstream` {
    private static let upstream = AddressAndPort(IPAddress(v4: 0xC000_0201))

    @Test func `follows its answers, its silence and its refusals`() {
        var health = ServerRecord(Self.upstream)
        #expect(health.report(at: 0).state == .unknown)
        health.answered(after: 12)
        _ = health.heard(now: 100)
        let up = health.report(at: 100)
        #expect(up.state == .up && up.roundTrip == 12 && up.heardAt == 100)
        for _ in 0..<3 { health.refused(now: 200) }
        #expect(health.report(at: 200).state == .refusing)
        #expect(health.report(at: 1_300).state == .up)
        for _ in 0..<3 { health.failed(sentAt: 2_000, now: 2_800) }
        #expect(health.report(at: 2_800).state == .down)
    }

    @Test func `is the word of who heard from it last, and down only if nobody thinks otherwise`() {
        let unknown = UpstreamReport()
        let up = UpstreamReport(state: .up, roundTrip: 5, heardAt: 10)
        let down = UpstreamReport(state: .down, roundTrip: 9, heardAt: 20)
        for (one, other) in [(up, down), (down, up)] {
            let merged = one.merged(with: other)
            #expect(merged.state == .up && merged.roundTrip == 9 && merged.heardAt == 20)
        }
        #expect(unknown.merged(with: down).state == .down)
        #expect(down.merged(with: unknown).state == .down)
        #expect(up.merged(with: unknown).roundTrip == 5)
        let silent = UpstreamReport(state: .down)
        #expect(silent.merged(with: unknown).state == .down)
        #expect(unknown.merged(with: silent).state == .down)
    }
}
