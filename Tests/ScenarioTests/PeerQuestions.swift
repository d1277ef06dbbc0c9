import DNSWire
import TestSupport

/// Random queries about zones, reproducible by their seed.
enum PeerQuestions {
    /// Types that most names lack.
    ///
    /// Types that Zonal answers itself are excluded, and RRSIG, for which resolvers return whatever
    /// is in their cache.
    private static let otherTypes: [UInt16] = [
        1, 2, 5, 6, 10, 12, 15, 16, 28, 33, 35, 39, 43, 48, 52, 64, 65, 99, 257, 258, 4711,
        65_280, 65_281,
    ]

    static func make(_ count: Int, about zones: [PeerZone], seed: UInt64) -> [ClientQuestion] {
        var random = SeededGenerator(seed: seed)
        let names = zones.flatMap(\.names)
        return (0..<count).compactMap { _ in
            guard let name = names.randomElement(using: &random) else { return nil }
            let known = Int.random(in: 0..<4, using: &random) > 0
            let type =
                known
                ? name.types.randomElement(using: &random)
                : otherTypes.filter { $0 != 5 || !name.isBelowDNAME }
                    .randomElement(using: &random).map { RecordType(rawValue: $0) }
            return ClientQuestion(
                name: mixed(name.name, &random),
                type: type ?? .a,
                edns: ClientQuestion.EDNS.allCases.randomElement(using: &random) ?? .plain,
                checkingDisabled: Int.random(in: 0..<20, using: &random) == 0
            )
        }
    }

    /// Every second name has its own random letter case.
    private static func mixed(_ name: DomainName, _ random: inout SeededGenerator) -> DomainName {
        guard Bool.random(using: &random) else { return name }
        let octets = name.octets.map { octet in
            let folded = DomainName.fold(octet)
            guard (97...122).contains(folded) else { return octet }
            return Bool.random(using: &random) ? folded : folded ^ 0x20
        }
        return DomainName(octets: octets) ?? name
    }
}
