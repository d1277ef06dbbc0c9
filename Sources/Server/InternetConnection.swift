package import DNSWire

extension AddressAndPort {
    /// connect(2) of a socket of the address's family to it; ENODEV while it names an interface that is not there.
    package func connect(_ descriptor: Int32) -> Int32 {
        SocketName.connect(descriptor, to: self)
    }
}
