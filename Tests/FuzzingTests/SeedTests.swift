import FuzzTargets
import Testing

/// The seeds of `make fuzz`, each run once by what the fuzzer runs.
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
