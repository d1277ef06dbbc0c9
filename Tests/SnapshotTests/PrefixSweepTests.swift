import DNSWire
import Snapshot
import Testing

@Suite struct `A sweep over prefixes` {
    /// An open prefix and its depth.
    private struct Open: Equatable {
        var text: String
        var depth: Int
    }

    /// Records the events in order: `+10.0.0.0/8 in ::/0` and `-10.0.0.0/8 in ::/0`.
    private func events(_ texts: [String]) throws -> [String] {
        let prefixes = try texts.map { try #require(IPPrefix($0)) }
        var events: [String] = []
        PrefixSweep.run(over: prefixes, by: { $0 }) { (prefix, around: Open?) -> Open in
            events.append("+\(prefix)" + (around.map { " in \($0.text)" } ?? ""))
            return Open(text: "\(prefix)", depth: (around?.depth ?? 0) + 1)
        } close: { done, around in
            #expect(done.depth == (around?.depth ?? 0) + 1)
            events.append("-\(done.text)" + (around.map { " in \($0.text)" } ?? ""))
        }
        return events
    }

    @Test
    func `opens a prefix inside the nearest enclosing one, and closes it after all enclosed ones`()
        throws
    {
        let found = try events(["10.1.0.0/16", "10.1.2.0/24", "10.0.0.0/8", "10.2.0.0/16"])
        #expect(
            found == [
                "+10.0.0.0/8", "+10.1.0.0/16 in 10.0.0.0/8", "+10.1.2.0/24 in 10.1.0.0/16",
                "-10.1.2.0/24 in 10.1.0.0/16", "-10.1.0.0/16 in 10.0.0.0/8",
                "+10.2.0.0/16 in 10.0.0.0/8", "-10.2.0.0/16 in 10.0.0.0/8", "-10.0.0.0/8",
            ]
        )
    }

    @Test func `keeps the families apart, although IPv4 addresses are stored in mapped form`()
        throws
    {
        let found = try events(["::/0", "0.0.0.0/0", "::1:0:0:0/80", "::/80"])
        #expect(
            found == [
                "+0.0.0.0/0", "-0.0.0.0/0", "+::/0", "+::/80 in ::/0", "-::/80 in ::/0",
                "+::1:0:0:0/80 in ::/0", "-::1:0:0:0/80 in ::/0", "-::/0",
            ]
        )
    }

    @Test func `nests equal prefixes in their given order`() throws {
        let prefix = try #require(IPPrefix("192.0.2.0/24"))
        var opened: [Int] = []
        PrefixSweep.run(over: [3, 1, 2], by: { _ in prefix }) { (element, around: Int?) -> Int in
            #expect(around == opened.last)
            opened.append(element)
            return element
        }
        #expect(opened == [3, 1, 2])
    }

    @Test func `passes the result of closing to the enclosing prefix`() throws {
        let prefixes = try ["10.0.0.0/8", "10.1.0.0/16", "10.1.1.0/24", "10.2.0.0/16"].map {
            try #require(IPPrefix($0))
        }
        var inside: [Int] = []
        PrefixSweep.run(over: prefixes, by: { $0 }) { (_, _: Int?) -> Int in
            0
        } close: { count, around in
            inside.append(count)
            around = around.map { $0 + count + 1 }
        }
        #expect(inside == [0, 1, 0, 3])
    }
}
