public import DNSWire
import Glibc

/// A system call that failed, with the address it was about.
public struct SocketError: Error, Equatable, Sendable {
    public var call: String
    public var address: AddressAndPort?
    /// `errno` right after the call.
    public var code: Int32

    /// Reads `errno`: to be made right after the call that failed.
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
    /// The machine does not have the address, or the interface, but may get it.
    package var mayPass: Bool { call == "bind" && (code == EADDRNOTAVAIL || code == ENODEV) }
}

extension SocketError: CustomStringConvertible {
    /// The reason first, as a person needs it: `cannot listen on 127.0.0.1:53: Permission denied (bind)`.
    public var description: String {
        let reason = unsafe String(cString: strerror(code))
        guard let address else { return "\(reason) (\(call))" }
        return "cannot listen on \(address): \(reason) (\(call))"
    }
}

/// The error of this thread's last failed call: the one place where `errno` is read.
public func errorNumber() -> Int32 { errno }
