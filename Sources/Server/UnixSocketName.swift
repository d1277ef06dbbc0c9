package import Glibc

/// Names of UNIX sockets in the form of the system calls (unix(7)).
package enum UnixSocketName {
    /// What `call` returns for a name, which is a path, or an abstract one that begins with a zero; nil where the name
    /// is too long.
    package static func with(
        _ octets: [UInt8],
        _ call: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32? {
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        guard octets.count < MemoryLayout.size(ofValue: name.sun_path) else { return nil }
        // Sound: the octets are fewer than the field has, which is zero behind them.
        unsafe withUnsafeMutableBytes(of: &name.sun_path) { unsafe $0.copyBytes(from: octets) }
        let length = MemoryLayout<sa_family_t>.size + octets.count
        // Sound: the name outlives the call, and has that many octets.
        return unsafe withUnsafePointer(to: &name) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe call($0, socklen_t(length))
            }
        }
    }
}
