import Glibc

/// How many files and sockets this process may have open.
package enum FileDescriptorLimit {
    /// Raises the limit as far as the system lets us; returns the limit then in force.
    @discardableResult
    package static func raise() -> Int {
        var limit = rlimit()
        // Sound: the structure outlives both calls.
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return 1024
        }
        let before = limit.rlim_cur
        limit.rlim_cur = limit.rlim_max
        let isRaised = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        return Int(clamping: isRaised ? limit.rlim_cur : before)
    }
}
