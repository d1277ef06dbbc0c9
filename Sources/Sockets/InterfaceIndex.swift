package import DNSWire
import Glibc

extension InterfaceScope {
    /// The number that the system has for the interface now; nil while there is no such interface.
    ///
    /// A name that is a number stands for itself, as in the C library.
    package var index: UInt32? {
        if let number { return number == 0 ? nil : number }
        // Sound: the string lives, terminated, until the call returns.
        let found = unsafe if_nametoindex(description)
        if found != 0 { return found }
        return UInt32(description).flatMap { $0 == 0 ? nil : $0 }
    }
}

extension AddressAndPort {
    /// The same with the number of its interface; nil while there is no such interface.
    package var resolved: AddressAndPort? {
        guard scope.number == nil else { return self }
        guard let index = scope.index else { return nil }
        var resolved = self
        resolved.scope = InterfaceScope(number: index)
        return resolved
    }
}

extension AddressAndPort {
    /// True unless the machine has no such address, or none of its family.
    package var isOfThisMachine: Bool {
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(address.isV4 ? AF_INET : AF_INET6, type, 0)
        guard descriptor >= 0 else { return errno != EAFNOSUPPORT }
        defer { close(descriptor) }
        return SocketName.bind(descriptor, to: self) == 0 || errno != EADDRNOTAVAIL
    }
}
