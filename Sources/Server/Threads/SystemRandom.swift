import CSockets
import Resolver
import Upstream

extension RandomPool {
    /// Numbers from the kernel's generator, 512 octets a call.
    static func system() -> RandomPool {
        RandomPool { words in
            unsafe words.withUnsafeMutableBytes { memory in
                // Sound: the call writes into `memory` alone. Up to 256 octets come whole or not at
                // all, and never not at all once the machine has started (getrandom(2)).
                for start in stride(from: 0, to: memory.count, by: 256) {
                    let count = min(256, memory.count - start)
                    let place = unsafe memory.baseAddress.unsafelyUnwrapped + start
                    while unsafe csockets_random(place, count) != count {}
                }
            }
        }
    }
}
