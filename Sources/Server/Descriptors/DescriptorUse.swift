import Glibc

/// The descriptors in use, by kind, and the budget for them.
package struct DescriptorUse: Sendable {
    package var budget: DescriptorBudget
    /// All descriptors that the process has open; nil if the system does not report them.
    package var open: Int?
    package var connections: Int
    package var upstreamSockets: Int
    package var upstreamConnections: Int
    package var healthChecks: Int

    /// Counts the descriptors that the process has open.
    static func countOpen() -> Int? {
        guard let folder = unsafe opendir("/proc/self/fd") else { return nil }
        defer { unsafe closedir(folder) }
        var count = 0
        // Sound: the folder is open until this function returns, and the entries are not read.
        while unsafe readdir(folder) != nil { count += 1 }
        // Excludes `.`, `..` and the descriptor of the folder itself.
        return count - 3
    }
}
