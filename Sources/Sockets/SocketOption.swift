import CSockets
import Glibc

/// setsockopt(2) for options that are ints.
package enum SocketOption {
    /// False if the system does not take it; `errno` says why.
    package static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32, to value: Int32)
        -> Bool
    {
        var value = value
        // Sound: the option's value is an int of this size.
        return unsafe setsockopt(descriptor, level, option, &value, 4) == 0
    }

    /// Sends whole datagrams or none: with DF, and no forged ICMP message makes them smaller
    /// (RFC 9715 §3.1).
    package static func forbidFragments(_ descriptor: Int32, isV4: Bool) -> Bool {
        isV4
            ? set(
                descriptor,
                Int32(IPPROTO_IP),
                csockets_ip_path_mtu,
                to: csockets_ip_path_mtu_probe
            )
            : set(
                descriptor,
                Int32(IPPROTO_IPV6),
                csockets_ipv6_path_mtu,
                to: csockets_ipv6_path_mtu_probe
            )
    }

    /// Has each datagram tell whether it came in fragments.
    package static func reportFragments(_ descriptor: Int32, isV4: Bool) -> Bool {
        isV4
            ? set(descriptor, Int32(IPPROTO_IP), csockets_ip_fragment_size, to: 1)
            : set(descriptor, Int32(IPPROTO_IPV6), csockets_ipv6_fragment_size, to: 1)
    }
}
