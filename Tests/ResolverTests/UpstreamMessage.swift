import DNSWire
import Resolver
import Upstream

/// A response of an upstream, record by record; names are not compressed.
struct UpstreamMessage {
    var name: String
    var type = RecordType.a
    var rcode = ResponseCode.noError
    var flags: UInt16 = 0x8180
    private var answers: [[UInt8]] = []
    private var authorities: [[UInt8]] = []
    private var additionals: [[UInt8]] = []

    init(_ name: String, _ type: RecordType = .a, rcode: ResponseCode = .noError) {
        self.name = name
        self.type = type
        self.rcode = rcode
    }

    static func record(
        _ owner: String,
        _ type: RecordType,
        _ ttl: UInt32,
        _ data: String
    ) -> [UInt8] {
        var rdata: [UInt8]
        if let address = IPAddress(data) {
            rdata = address.octets
        } else if type == .soa {
            rdata = [0, 0] + [UInt8](repeating: 0, count: 16)
            rdata += (0..<4).map { UInt8(truncatingIfNeeded: (UInt32(data) ?? 0) >> (24 - 8 * $0)) }
        } else {
            rdata = SampleWorld.name(data).octets
        }
        return record(owner, type, ttl, rdata)
    }

    static func record(
        _ owner: String,
        _ type: RecordType,
        _ ttl: UInt32,
        _ rdata: [UInt8]
    ) -> [UInt8] {
        SampleWorld.name(owner).octets + [0, UInt8(type.rawValue), 0, 1]
            + (0..<4).map { UInt8(truncatingIfNeeded: ttl >> (24 - 8 * UInt32($0))) }
            + [0, UInt8(rdata.count)] + rdata
    }

    func answer(
        _ owner: String,
        _ type: RecordType,
        _ data: String,
        ttl: UInt32 = 300
    ) -> UpstreamMessage {
        var copy = self
        copy.answers.append(Self.record(owner, type, ttl, data))
        return copy
    }

    func answer(_ owner: String, _ type: RecordType, rdata: [UInt8]) -> UpstreamMessage {
        var copy = self
        copy.answers.append(Self.record(owner, type, 300, rdata))
        return copy
    }

    func authority(
        _ owner: String,
        _ type: RecordType,
        _ data: String,
        ttl: UInt32 = 300
    ) -> UpstreamMessage {
        var copy = self
        copy.authorities.append(Self.record(owner, type, ttl, data))
        return copy
    }

    func additional(_ owner: String, _ type: RecordType, _ data: String) -> UpstreamMessage {
        var copy = self
        copy.additionals.append(Self.record(owner, type, 300, data))
        return copy
    }

    var octets: [UInt8] {
        let flags = self.flags | rcode.rawValue
        var octets: [UInt8] = [0x12, 0x34, UInt8(flags >> 8), UInt8(flags & 0xFF), 0, 1]
        for section in [answers, authorities, additionals] {
            octets += [UInt8(section.count >> 8), UInt8(section.count & 0xFF)]
        }
        octets += SampleWorld.name(name).octets + [0, UInt8(type.rawValue), 0, 1]
        return octets + (answers + authorities + additionals).flatMap { $0 }
    }
}

extension UpstreamMessage {
    /// The part of the message that is kept as the answer to an upstream question for `name`.
    func scrubbed(
        answering question: UpstreamQuestion,
        _ name: DomainName
    ) throws(ScrubError) -> ResponseScrubber.Result {
        try ResponseScrubber.scrub(
            octets.span,
            answering: question,
            name: name,
            ruleZone: .root,
            limits: TTLLimits()
        )
    }
}
