import Glibc
import Resolver
package import Upstream

/// The monotonic clock: it never goes back, and all threads read the same time.
package enum SteadyClock {
    /// Milliseconds since the machine started.
    package static func milliseconds() -> Milliseconds { nanoseconds() / 1_000_000 }

    /// The time in nanoseconds, which tells apart events in the same millisecond.
    static func nanoseconds() -> UInt64 {
        var time = timespec()
        // Sound: the call writes one timespec. It does not fail for a clock that exists.
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }

    /// The time in whole seconds, as the pipeline and the cache count it.
    package static func seconds() -> UInt32 {
        UInt32(truncatingIfNeeded: milliseconds() / 1000)
    }
}

/// The time of day, for values that other machines read; it may jump.
enum TimeOfDay {
    /// Seconds since 1970, modulo 2^32.
    static func seconds() -> UInt32 { UInt32(truncatingIfNeeded: time(nil)) }
}
