package import DNSWire
import Snapshot

/// The ports that the host's administrator reserved for services.
package enum ReservedPorts {
    private static let sizeLimit = 1 << 20

    /// Reads `ip_local_reserved_ports`; empty if the system has no such file.
    package static func ofSystem(
        path: String = "/proc/sys/net/ipv4/ip_local_reserved_ports",
        loader: any FileLoader = DiskFileLoader()
    ) -> PortSet {
        reading((try? loader.octets(of: path)) ?? [])
    }

    /// Parses `8080,30000-32767`; ignores what is not a port.
    static func reading(_ octets: [UInt8]) -> PortSet {
        let text = String(decoding: octets.prefix(sizeLimit), as: UTF8.self)
        return PortSet(
            text.split { $0 == "," || $0.isWhitespace }.compactMap {
                PortRangeText.range(String($0))
            }
        )
    }
}

/// The text form of port ranges, as in the configuration and the kernel.
enum PortRangeText {
    /// Parses `5300` or `1024-65535`; nil for anything else.
    static func range(_ text: String) -> ClosedRange<UInt16>? {
        let bounds = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            .map { NumberText.whole(String($0)).flatMap { UInt16(exactly: $0) } }
        guard let first = bounds.first ?? nil, let last = bounds.last ?? nil, first <= last else {
            return nil
        }
        return first...last
    }
}

extension ValueForm<ClosedRange<UInt16>> {
    /// The unprivileged ports.
    static let ports = ValueForm(
        "a range of ports such as 1024-65535",
        written: { "\($0.lowerBound)-\($0.upperBound)" }
    ) { (text) throws(ValueFault) in
        guard let range = PortRangeText.range(text) else {
            throw ValueFault(
                "`\(text.shown)` is not a range of ports; write, for example, 1024-65535"
            )
        }
        let least = PortSet.unprivilegedRange.lowerBound
        guard range.lowerBound >= least else {
            throw ValueFault(
                "\(text.shown) includes ports below \(least), which are reserved for services; start at \(least)"
            )
        }
        return range
    }
}
