/// A PROXY protocol v2 header: the client on whose behalf a proxy sends a query.
///
/// The header proves nothing; the listener and the peer's address decide whether it is trusted. The
/// specification is HAProxy's `proxy-protocol.txt` §2.2; the VPC endpoint ID is AWS's extension.
public struct ProxyHeader: Hashable, Sendable, BitwiseCopyable {
    /// The size of the header; the DNS message or stream follows it.
    public let length: Int
    /// The client's address; nil for LOCAL and UNSPEC.
    ///
    /// With these, the proxy sends on its own behalf or does not know the client, and `endpoint` is
    /// nil, too.
    public private(set) var source: IPAddress?
    /// The VPC endpoint that the client used.
    public private(set) var endpoint: EndpointID?

    /// Reads the header at the start of `octets`; nil while it is incomplete.
    ///
    /// An octet that no header has at its position is an error immediately, however few octets
    /// there are.
    public static func read(
        _ octets: Span<UInt8>
    ) throws(ProxyHeaderError) -> ProxyHeader? {
        for index in 0..<Place.command {
            guard index < octets.count else { return nil }
            let expected = signature >> UInt128(8 * (Place.command - 1 - index))
            guard octets[index] == UInt8(truncatingIfNeeded: expected) else { throw .signature }
        }
        guard octets.count > Place.command else { return nil }
        let command = octets[Place.command]
        guard command == Command.local || command == Command.proxy else { throw .command }
        guard let rest = octets.bigEndian16(at: Place.length) else { return nil }
        let length = Place.addresses + Int(rest)
        guard octets.count >= length else { return nil }
        return try ProxyHeader(octets.extracting(first: length))
    }

    /// Reads a complete header with a known command.
    private init(_ octets: Span<UInt8>) throws(ProxyHeaderError) {
        length = octets.count
        let family = octets[Place.family]
        guard octets[Place.command] == Command.proxy else {
            try verifyAlone(octets, family: family)
            return
        }
        let typesStart: Int
        switch family {
        case Family.unspecified:
            _ = try readTypes(octets, from: Place.addresses, onlyChecksum: true)
            return
        case Family.tcp4, Family.udp4:
            guard let bits = octets.bigEndian32(at: Place.addresses) else { throw .truncated }
            source = IPAddress(v4: bits)
            typesStart = Place.addresses + Family.size4
        case Family.tcp6, Family.udp6:
            source = try Self.address6(octets)
            typesStart = Place.addresses + Family.size6
        default: throw .family
        }
        guard typesStart <= length else { throw .truncated }
        _ = try readTypes(octets, from: typesStart)
    }

    /// Verifies the checksum of a LOCAL header, the only part of it that is used.
    ///
    /// AWS's load balancers write TLVs directly after the family even if the family has addresses;
    /// other proxies write them after unused addresses. A layout with a correct checksum takes
    /// precedence over one without a checksum.
    private mutating func verifyAlone(
        _ octets: Span<UInt8>,
        family: UInt8
    ) throws(ProxyHeaderError) {
        var (isReadable, isWrong) = (false, false)
        for size in Set([0, Family.addressesSize(family)]).sorted() {
            let start = Place.addresses + size
            guard start <= octets.count else { continue }
            do throws(ProxyHeaderError) {
                if try readTypes(octets, from: start, onlyChecksum: true) { return }
                isReadable = true
            } catch {
                if error == .checksum { isWrong = true }
            }
        }
        if isWrong { throw .checksum }
        if !isReadable { throw .truncated }
    }

    private static func address6(
        _ octets: Span<UInt8>
    ) throws(ProxyHeaderError) -> IPAddress {
        var bits: UInt128 = 0
        for word in 0..<4 {
            guard let part = octets.bigEndian32(at: Place.addresses + 4 * word) else {
                throw .truncated
            }
            bits = bits << 32 | UInt128(part)
        }
        return IPAddress(bits: bits)
    }

    // MARK: Behind the addresses

    /// Reads the TLVs (a type, two octets of length, a value); returns true if there was a
    /// checksum.
    ///
    /// The checksum is verified once after the loop. Verifying each of many would take time
    /// proportional to their number times the size of the header.
    private mutating func readTypes(
        _ octets: Span<UInt8>,
        from start: Int,
        onlyChecksum: Bool = false
    ) throws(ProxyHeaderError) -> Bool {
        var offset = start
        var checksum: Range<Int>?
        while offset < octets.count {
            guard let size = octets.bigEndian16(at: offset + 1) else { throw .truncated }
            let value = offset + 3..<offset + 3 + Int(size)
            guard value.upperBound <= octets.count else { throw .truncated }
            switch octets[offset] {
            case Kind.checksum:
                guard checksum == nil else { throw .checksum }
                checksum = value
            case Kind.amazon where !onlyChecksum: try readEndpoint(octets, value)
            default: break
            }
            offset = value.upperBound
        }
        if let checksum { try Self.verify(octets, checksum: checksum) }
        return checksum != nil
    }

    /// Verifies the checksum of the whole header, with its own four octets as zeros.
    private static func verify(
        _ octets: Span<UInt8>,
        checksum place: Range<Int>
    ) throws(ProxyHeaderError) {
        guard place.count == 4, let expected = octets.bigEndian32(at: place.lowerBound) else {
            throw .checksum
        }
        var crc = CRC32C()
        crc.add(octets.extracting(0..<place.lowerBound))
        for _ in place { crc.add(0) }
        crc.add(octets.extracting(place.upperBound..<octets.count))
        guard crc.checksum == expected else { throw .checksum }
    }

    /// Reads the endpoint ID.
    ///
    /// A second or an invalid one is an error, since it would be ambiguous.
    private mutating func readEndpoint(
        _ octets: Span<UInt8>,
        _ value: Range<Int>
    ) throws(ProxyHeaderError) {
        guard !value.isEmpty, octets[value.lowerBound] == Kind.amazonEndpoint else { return }
        guard endpoint == nil, let id = EndpointID(octets, in: value.dropFirst()) else {
            throw .endpoint
        }
        endpoint = id
    }

    // MARK: Numbers

    /// CR LF CR LF NUL CR LF `QUIT` LF.
    private static let signature: UInt128 = 0x0D0A_0D0A_000D_0A51_5549_540A

    private enum Place {
        static let command = 12
        static let family = 13
        static let length = 14
        static let addresses = 16
    }

    /// The version, 2, and the command.
    private enum Command {
        static let local: UInt8 = 0x20
        static let proxy: UInt8 = 0x21
    }

    /// Address family and transport.
    ///
    /// The transport is that of the client's connection to the proxy.
    private enum Family {
        static let unspecified: UInt8 = 0x00
        static let tcp4: UInt8 = 0x11
        static let udp4: UInt8 = 0x12
        static let tcp6: UInt8 = 0x21
        static let udp6: UInt8 = 0x22
        /// The size of two IPv4 addresses with ports.
        static let size4 = 12
        /// The size of two IPv6 addresses with ports.
        static let size6 = 36
        /// The size of two UNIX socket paths.
        static let sizeUnix = 216

        /// Returns the size of a family's addresses for any transport; 0 for an unknown family.
        static func addressesSize(_ family: UInt8) -> Int {
            switch family >> 4 {
            case 1: size4
            case 2: size6
            case 3: sizeUnix
            default: 0
            }
        }
    }

    private enum Kind {
        static let checksum: UInt8 = 0x03
        static let amazon: UInt8 = 0xEA
        static let amazonEndpoint: UInt8 = 0x01
    }
}

/// Why octets are not a valid PROXY header.
public enum ProxyHeaderError: Error, Equatable {
    case signature
    /// The version is not 2, or the command is neither LOCAL nor PROXY.
    case command
    /// The addresses identify no client, such as those of UNIX sockets.
    case family
    /// The addresses or a TLV exceed the length.
    case truncated
    /// A wrong or second checksum.
    case checksum
    /// An invalid or second endpoint ID.
    case endpoint
}
