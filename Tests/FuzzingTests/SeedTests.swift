import FuzzTargets
import Testing

/// Runs each seed of `make fuzz` once through the fuzzer's functions.
@Suite struct `The seeds of fuzzing` {
    @Test(arguments: FuzzTarget.allCases)
    func `break no property`(target: FuzzTarget) throws {
        let seeds = try target.seeds()
        #expect(seeds.count >= 5)
        for seed in seeds {
            #expect(throws: Never.self, "\(seed.name)") { try target.run(seed.octets) }
        }
    }
}
