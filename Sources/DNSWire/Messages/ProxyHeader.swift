/// What a PROXY protocol v2 header says of the client that a proxy speaks for.
///
/// It proves nothing by itself: the listener and the sender's address say whether it is believed. HAProxy's
/// `proxy-protocol.txt` §2.2 is the specification; that a header names a VPC endpoint is AWS's addition.
public struct ProxyHeader: Hashable, Sendable, BitwiseCopyable {
    /// Octets of the header; the DNS message, or the stream of them, starts behind.
    public let length: Int
    /// The client's address; nil for LOCAL and UNSPEC.
    ///
    /// There the proxy speaks for itself, or for a client that it cannot name, and `endpoint` is nil, too.
    public private(set) var source: IPAddress?
    /// The VPC endpoint that the client came through.
    public private(set) var endpoint: EndpointID?

    /// Reads the header that `octets` start with; nil while they are only the beginning of one.
    ///
    /// An octet that no header has in its place is an error at once, however few are there.
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

    /// Reads a whole header whose command is known.
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

    /// Verifies the checksum of a LOCAL header, which says nothing else.
    ///
    /// AWS's load balancers write TLVs at once behind a family that has addresses, others behind addresses
    /// that mean nothing. A layout in which the checksum is right is taken before one without a checksum.
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

    /// Steps over the TLVs: a type, two octets of length, a value; whether there was a checksum.
    ///
    /// The checksum is verified behind the loop, once: computing it for each of many would take time in
    /// proportion to their number times the header's size.
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

    /// The checksum is of the whole header, its own four octets being zeros.
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

    /// Who names two endpoints, or one that cannot be, could mean any: that is an error.
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

    /// Version 2 and the command.
    private enum Command {
        static let local: UInt8 = 0x20
        static let proxy: UInt8 = 0x21
    }

    /// Address family and transport; the transport is that of the client, whatever ours is.
    private enum Family {
        static let unspecified: UInt8 = 0x00
        static let tcp4: UInt8 = 0x11
        static let udp4: UInt8 = 0x12
        static let tcp6: UInt8 = 0x21
        static let udp6: UInt8 = 0x22
        /// Octets of two IPv4 addresses with their ports.
        static let size4 = 12
        /// The same of IPv6.
        static let size6 = 36
        /// Two paths of UNIX sockets.
        static let sizeUnix = 216

        /// Octets of the addresses of a family and any transport; 0 for an unknown one.
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

/// Why octets are no PROXY header that can be believed.
public enum ProxyHeaderError: Error, Equatable {
    case signature
    /// Another version than 2, or a command that is neither LOCAL nor PROXY.
    case command
    /// Addresses by which no client can be told, such as those of UNIX sockets.
    case family
    /// The addresses or a TLV do not fit into the length.
    case truncated
    /// A checksum that is wrong, or a second one.
    case checksum
    /// An endpoint's ID that is none, or a second one.
    case endpoint
}
