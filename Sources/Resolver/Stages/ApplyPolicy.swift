import DNSWire
import Snapshot

/// Stage: refuses queries that the server does not support, with the cheapest check first.
enum ApplyPolicy {
    /// The error that a query is refused with.
    struct Refusal: BitwiseCopyable {
        var rcode: ResponseCode
        var error: ExtendedError?
    }

    /// Returns why a query is refused; nil if it is not.
    static func refusal(of query: Query, from client: ClientClass) -> Refusal? {
        if client.scope == .refused { return Refusal(rcode: .refused, error: .prohibited) }
        if let edns = query.edns, edns.version > 0 { return Refusal(rcode: .badVersion) }
        let rcode = rcode(ofOpcode: query.opcode) ?? rcode(ofQuestion: query)
        return rcode.map { Refusal(rcode: $0, error: $0 == .formatError ? nil : .notSupported) }
    }

    /// UPDATE is known and refused (RFC 2136 §3.3); other opcodes are not implemented.
    private static func rcode(ofOpcode opcode: UInt16) -> ResponseCode? {
        switch opcode {
        case Header.Opcode.query: nil
        case Header.Opcode.update: .refused
        default: .notImplemented
        }
    }

    private static func rcode(ofQuestion query: Query) -> ResponseCode? {
        guard query.hasQuestion else { return nil }
        switch query.recordClass {
        case internet: break
        case chaos where query.type == .txt: return nil
        default: return .refused
        }
        switch query.type {
        case .axfr, .ixfr: return .refused
        case .opt: return .formatError
        case .any: return nil
        default: return query.type.isMeta || query.type.isReserved ? .notImplemented : nil
        }
    }

    /// The class IN.
    static let internet: UInt16 = 1
    /// The class CH, in which servers identify themselves (RFC 4892).
    static let chaos: UInt16 = 3
}
