import Glibc

/// How much of a descriptor budget is in use.
package struct DescriptorUse: Sendable {
    package var budget: DescriptorBudget
    /// All that the process has open; nil where the system does not say.
    package var open: Int?
    package var connections: Int
    package var upstreamSockets: Int
    package var upstreamConnections: Int
    package var healthChecks: Int

    /// Counts what the process has open.
    static func countOpen() -> Int? {
        guard let folder = unsafe opendir("/proc/self/fd") else { return nil }
        defer { unsafe closedir(folder) }
        var count = 0
        // Sound: the folder is open until this returns, and no entry is looked into.
        while unsafe readdir(folder) != nil { count += 1 }
        // `.`, `..` and the folder itself.
        return count - 3
    }
}
