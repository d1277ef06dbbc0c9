package import DNSWire
import Glibc

extension InterfaceScope {
    /// The system's current index of the interface; nil if no such interface exists.
    ///
    /// As in the C library, a name of digits that no interface has is taken as the index.
    package var index: UInt32? {
        if let number { return number == 0 ? nil : number }
        // Sound: the string stays alive and zero-terminated until the call returns.
        let found = unsafe if_nametoindex(description)
        if found != 0 { return found }
        return UInt32(description).flatMap { $0 == 0 ? nil : $0 }
    }
}

extension AddressAndPort {
    /// The address with its interface as an index; nil if no such interface exists.
    package var resolved: AddressAndPort? {
        guard scope.number == nil else { return self }
        guard let index = scope.index else { return nil }
        var resolved = self
        resolved.scope = InterfaceScope(number: index)
        return resolved
    }
}

extension AddressAndPort {
    /// False if no interface has the address, or if the system lacks the address family.
    package var isOfThisMachine: Bool {
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(address.isV4 ? AF_INET : AF_INET6, type, 0)
        guard descriptor >= 0 else { return errno != EAFNOSUPPORT }
        defer { close(descriptor) }
        return SocketName.bind(descriptor, to: self) == 0 || errno != EADDRNOTAVAIL
    }
}
