import Glibc

/// Connects and binds UNIX sockets by name (unix(7)).
///
/// A name is a path, or an abstract name, which begins with a zero octet.
package enum UnixSocketName {
    /// Calls connect(2); fails with ENAMETOOLONG if the name is too long for a socket.
    package static func connect(_ descriptor: Int32, to octets: [UInt8]) -> Int32 {
        // Sound: the call reads the octets that `with` wrote, and they stay alive during the call.
        unsafe with(octets) { unsafe Glibc.connect(descriptor, $0, $1) }
    }

    /// Calls bind(2); fails with ENAMETOOLONG as `connect` does.
    static func bind(_ descriptor: Int32, to octets: [UInt8]) -> Int32 {
        // Sound: as above.
        unsafe with(octets) { unsafe Glibc.bind(descriptor, $0, $1) }
    }

    @unsafe private static func with(
        _ octets: [UInt8],
        _ call: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        guard octets.count < MemoryLayout.size(ofValue: name.sun_path) else {
            errno = ENAMETOOLONG
            return -1
        }
        // Sound: the octets are fewer than those of the field, whose rest is zero.
        unsafe withUnsafeMutableBytes(of: &name.sun_path) { unsafe $0.copyBytes(from: octets) }
        let length = MemoryLayout<sa_family_t>.size + octets.count
        // Sound: the name outlives the call, and has `length` octets.
        return unsafe withUnsafePointer(to: &name) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe call($0, socklen_t(length))
            }
        }
    }
}
