import Foundation
import TestSupport
import Testing

/// The CPU time and memory of a run of the program.
struct Cost: CustomStringConvertible, Sendable {
    /// User and system time, in seconds.
    var processor: Double
    /// The peak resident memory, in MiB.
    var memory: Double

    var description: String { String(format: "%.2f s, %.0f MiB", processor, memory) }

    init(processor: Double, memory: Double) { (self.processor, self.memory) = (processor, memory) }

    /// The usage so far of a running process.
    init(of process: RunningProcess) throws {
        let folder = "/proc/\(process.identifier)"
        let times = try String(contentsOfFile: "\(folder)/stat", encoding: .utf8)
            .split(separator: " ")
        let ticks = try #require(Double(times[13])) + #require(Double(times[14]))
        let status = try String(contentsOfFile: "\(folder)/status", encoding: .utf8)
        let peak = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        let kibibytes = try #require(
            peak.split(separator: " ").dropLast().last.flatMap { Double($0) }
        )
        self.init(processor: ticks / 100, memory: kibibytes / 1024)
    }

    /// Runs the program to its end; the exit status must be one of `statuses`.
    static func of(
        _ arguments: [String],
        in folder: TemporaryFolder,
        statuses: Set<Double> = [0]
    ) throws -> Cost {
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
        try #require(
            words.count == 3 && statuses.contains(words[0]),
            "\(arguments): \(result.output)"
        )
        return Cost(processor: words[1], memory: words[2])
    }
}
