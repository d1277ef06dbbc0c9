import CSockets
import Glibc

/// Sets socket options of type int (setsockopt(2)).
package enum SocketOption {
    /// Returns false on failure; `errno` has the reason.
    package static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32, to value: Int32)
        -> Bool
    {
        var value = value
        // Sound: the option's value is an int, and its size of 4 octets is passed.
        return unsafe setsockopt(descriptor, level, option, &value, 4) == 0
    }

    /// Sets DF on datagrams, and ignores the path MTU of ICMP messages, which may be forged (RFC
    /// 9715 §3.1).
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

    /// Requests a control message with each datagram that says whether it arrived in fragments.
    package static func reportFragments(_ descriptor: Int32, isV4: Bool) -> Bool {
        isV4
            ? set(descriptor, Int32(IPPROTO_IP), csockets_ip_fragment_size, to: 1)
            : set(descriptor, Int32(IPPROTO_IPV6), csockets_ipv6_fragment_size, to: 1)
    }
}
