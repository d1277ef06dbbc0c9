import Foundation
import TestSupport
import Testing

/// What ten times the input costs: at most eleven times the CPU time and memory.
@Suite(.serialized) struct `A large world` {
    /// What a run took.
    struct Cost: CustomStringConvertible, Sendable {
        /// User and system, in seconds.
        var processor: Double
        /// The most that was resident, in MiB.
        var memory: Double

        var description: String { String(format: "%.2f s, %.0f MiB", processor, memory) }
    }

    private static let configuration = """
        include: [aws/topology.yaml]
        forward: [{ zone: ".", to: [192.0.2.53] }]

        """

    /// Runs the program to its end, which must be a good one.
    private static func cost(of arguments: [String], in folder: TemporaryFolder) throws -> Cost {
        let meter = """
            import resource, subprocess, sys
            status = subprocess.run(sys.argv[1:], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            print(status, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
            """
        let result = try Command.run(
            ["python3", "-c", meter, Project.zonal] + arguments,
            in: folder.path
        )
        let words = try #require(result.lines.last).split(separator: " ").compactMap { Double($0) }
        try #require(words.count == 3 && words[0] == 0, "\(arguments): \(result.output)")
        return Cost(processor: words[1], memory: words[2])
    }

    /// Starts the server; what it has used once it is ready.
    private static func costOfStart(in folder: TemporaryFolder) throws -> Cost {
        let server = try ZonalServer(configuration, beside: folder)
        let process = "/proc/\(server.process.identifier)"
        let times = try String(contentsOfFile: "\(process)/stat", encoding: .utf8)
            .split(separator: " ")
        let ticks = try #require(Double(times[13])) + #require(Double(times[14]))
        let status = try String(contentsOfFile: "\(process)/status", encoding: .utf8)
        let peak = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        let kibibytes = try #require(
            peak.split(separator: " ").dropLast().last.flatMap { Double($0) }
        )
        return Cost(processor: ticks / 100, memory: kibibytes / 1024)
    }

    private static func costs(of world: ManyAccounts) throws -> [String: Cost] {
        let folder = try TemporaryFolder(["zonal.yaml": configuration])
        try world.write(to: folder)
        var costs: [String: Cost] = [:]
        costs["import"] = try cost(of: ["import", "aws", "exports", "--into", "aws"], in: folder)
        costs["import again"] = try cost(
            of: ["import", "aws", "exports", "--into", "aws"],
            in: folder
        )
        costs["check"] = try cost(of: ["check", "--config", "zonal.yaml"], in: folder)
        costs["start"] = try costOfStart(in: folder)
        return costs
    }

    /// The least of each, which other programs disturbed least.
    private static func least(_ one: [String: Cost], _ other: [String: Cost]) -> [String: Cost] {
        one.merging(other) { one, other in
            Cost(
                processor: min(one.processor, other.processor),
                memory: min(one.memory, other.memory)
            )
        }
    }

    /// A tenth of a second is what a run costs whatever it does, and what the clock is worth.
    private static func isLinear(_ large: Cost, _ small: Cost) -> Bool {
        large.processor <= 11 * max(small.processor, 0.1) && large.memory <= 11 * small.memory
    }

    @Test func `of 20,000 endpoints in 2,000 VPCs costs ten times one of 2,000`() throws {
        var (small, large): ([String: Cost], [String: Cost]) = ([:], [:])
        for _ in 0..<6 {
            small = Self.least(small, try Self.costs(of: ManyAccounts(count: 20)))
            large = Self.least(large, try Self.costs(of: ManyAccounts(count: 200)))
            if large.allSatisfy({ step, cost in small[step].map { Self.isLinear(cost, $0) } ?? false
            }) {
                break
            }
        }
        for (step, cost) in large.sorted(by: { $0.key < $1.key }) {
            let base = try #require(small[step])
            print("\(step): \(cost); a tenth of it: \(base)")
            #expect(Self.isLinear(cost, base), "\(step)")
        }
    }
}
