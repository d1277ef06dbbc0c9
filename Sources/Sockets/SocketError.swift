public import DNSWire
import Glibc

/// A system call that failed, and the address it concerned.
public struct SocketError: Error, Equatable, Sendable {
    public var call: String
    public var address: AddressAndPort?
    /// The value of `errno` after the call.
    public var code: Int32

    /// Reads `errno`, so it must follow the failed call directly.
    public init(call: String, address: AddressAndPort? = nil) {
        self.init(call: call, address: address, code: errorNumber())
    }

    public init(call: String, address: AddressAndPort? = nil, code: Int32) {
        self.call = call
        self.address = address
        self.code = code
    }
}

extension SocketError {
    /// True if bind(2) failed because the address or its interface does not exist.
    ///
    /// Either may appear later.
    package var mayPass: Bool { call == "bind" && (code == EADDRNOTAVAIL || code == ENODEV) }
}

extension SocketError: CustomStringConvertible {
    /// The address, the reason and the call: `cannot listen on 127.0.0.1:53: Permission denied
    /// (bind)`.
    public var description: String {
        let reason = unsafe String(cString: strerror(code))
        guard let address else { return "\(reason) (\(call))" }
        return "cannot listen on \(address): \(reason) (\(call))"
    }
}

/// The error number (`errno`) of this thread's last failed call.
public func errorNumber() -> Int32 { errno }
