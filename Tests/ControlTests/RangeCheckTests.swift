import Control
import DNSWire
import TestSupport
import Testing

@Suite struct `Ranges of several VPCs` {
    private struct Range {
        var prefix: IPPrefix
        var vpc: Int
        var isInbound: Bool
    }

    /// A network of a few VPCs, some of which have their own listener.
    private struct Network {
        var ranges: [Range] = []
        var bound: Set<Int> = []
        var hasPlainListener: Bool

        init(_ random: inout SeededGenerator) {
            hasPlainListener = Bool.random(using: &random)
            bound = Set((0..<5).filter { _ in Bool.random(using: &random) })
            for vpc in 0..<5 {
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    let isInbound = Int.random(in: 0...3, using: &random) == 0
                    let prefix = Self.prefix(&random)
                    ranges.append(Range(prefix: prefix, vpc: vpc, isInbound: isInbound))
                }
            }
        }

        /// Returns one of few prefixes, so that many overlap; some IPv6 ones enclose the mapped
        /// IPv4 addresses.
        private static func prefix(_ random: inout SeededGenerator) -> IPPrefix {
            let length = Int.random(in: 0...3, using: &random)
            switch Int.random(in: 0...4, using: &random) {
            case 0: return IPPrefix(IPAddress(bits: 0), length: 20 * length)
            case 1: return IPPrefix(IPAddress(bits: 0x2001 << 112), length: 16 * length)
            default:
                let address = IPAddress(v4: UInt32.random(in: 0...7, using: &random) << 29)
                return IPPrefix(address, length: 96 + length)
            }
        }

        var text: String {
            var listeners = (0..<5).filter(bound.contains).map {
                "{ address: \"127.0.0.1:\(5400 + $0)\", vpc: vpc-\($0) }"
            }
            listeners.append(
                hasPlainListener
                    ? "\"127.0.0.1:5300\""
                    : "{ address: \"127.0.0.1:5300\", proxy-protocol: [192.0.2.0/24] }"
            )
            let vpcs = (0..<5).map { vpc in
                let own = ranges.filter { $0.vpc == vpc }
                let (inbound, others) = (own.filter(\.isInbound), own.filter { !$0.isInbound })
                return
                    "- { id: vpc-\(vpc), account: \"111122223333\", ranges: [\(Self.list(others))], inbound: [\(Self.list(inbound))] }"
            }
            return """
                listen: [\(listeners.joined(separator: ", "))]
                forward: [{ zone: ".", to: [192.0.2.53] }]
                accounts: [{ id: "111122223333" }]
                vpcs:
                \(vpcs.joined(separator: "\n"))
                """
        }

        private static func list(_ ranges: [Range]) -> String {
            ranges.map { "\"\($0.prefix)\"" }.joined(separator: ", ")
        }

        // MARK: What is expected, pair by pair

        /// The pairs of VPCs with an error; a VPC can be paired with itself.
        var clashes: Set<Set<Int>> { pairs(clash) }

        /// The pairs of VPCs with a warning.
        var nested: Set<Set<Int>> { hasPlainListener ? pairs(isNested) : [] }

        private func pairs(_ isMeant: (Range, Range) -> Bool) -> Set<Set<Int>> {
            var found: Set<Set<Int>> = []
            for (index, inner) in ranges.enumerated() {
                for (other, outer) in ranges.enumerated()
                where index != other && outer.prefix.contains(inner.prefix) && isMeant(inner, outer)
                { found.insert([inner.vpc, outer.vpc]) }
            }
            return found
        }

        private func clash(_ inner: Range, _ outer: Range) -> Bool {
            if inner.isInbound || outer.isInbound {
                guard inner.prefix == outer.prefix else { return false }
                if inner.vpc == outer.vpc { return inner.isInbound != outer.isInbound }
            }
            return inner.vpc != outer.vpc && bound.isDisjoint(with: [inner.vpc, outer.vpc])
        }

        private func isNested(_ inner: Range, _ outer: Range) -> Bool {
            guard inner.vpc != outer.vpc, !inner.isInbound, !outer.isInbound else { return false }
            let apart = [inner.vpc, outer.vpc].count(where: bound.contains)
            return apart == 2 || apart == 1 && inner.prefix != outer.prefix
        }
    }

    private func vpcs(in message: String) -> Set<Int> {
        Set(message.split(separator: "vpc-").dropFirst().compactMap { Int($0.prefix(1)) })
    }

    @Test func `give the same errors and warnings as a comparison of all pairs`() {
        var random = SeededGenerator(seed: 13)
        for _ in 0..<500 {
            let network = Network(&random)
            let found = CheckedConfiguration.diagnostics(network.text)
            let errors = found.filter { $0.severity == .error }.map { head(of: $0.message) }
            let warnings = found.map(\.message).filter { $0.contains(" is inside ") }
                .map { head(of: $0) }
            #expect(Set(errors.map(vpcs)) == network.clashes, "\(network.text)\n\(found)")
            #expect(Set(warnings.map(vpcs)) == network.nested, "\(network.text)\n\(found)")
        }
    }

    /// Returns the message up to the advice, which also contains a VPC ID.
    private func head(of message: String) -> String {
        message.split(separator: "; ").first.map(String.init) ?? ""
    }
}
