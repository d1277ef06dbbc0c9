import Foundation

/// The memory and descriptors of a running process, from /proc.
package struct ProcessFigures: Sendable {
    /// Resident memory, in KiB.
    package let residentMemory: Int
    /// Open descriptors.
    package let descriptors: Int

    package init(of process: RunningProcess) throws {
        let folder = "/proc/\(process.identifier)"
        let status = try String(contentsOfFile: "\(folder)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        let words = line?.split { $0 == " " || $0 == "\t" } ?? []
        residentMemory = words.count > 1 ? Int(words[1]) ?? 0 : 0
        descriptors = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/fd").count
    }
}
