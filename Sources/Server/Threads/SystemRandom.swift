import CSockets
import Resolver
import Upstream

extension RandomPool {
    /// A pool that is filled with random numbers from the kernel.
    static func system() -> RandomPool {
        RandomPool { words in
            unsafe words.withUnsafeMutableBytes { memory in
                // Sound: the call writes only to `memory`. A request of up to 256 octets is never
                // answered in part, and fails only before the kernel's generator is initialised at
                // boot (getrandom(2)).
                for start in stride(from: 0, to: memory.count, by: 256) {
                    let count = min(256, memory.count - start)
                    let place = unsafe memory.baseAddress.unsafelyUnwrapped + start
                    while unsafe csockets_random(place, count) != count {}
                }
            }
        }
    }
}
