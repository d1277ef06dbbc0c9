import DNSWire
import Snapshot

/// Stage: refuses what we do not do, the cheapest reason first.
enum ApplyPolicy {
    /// The rcode to refuse with; nil if the query may go on.
    static func refusal(of query: Query, from client: ClientClass) -> ResponseCode? {
        if client.scope == .refused { return .refused }
        if let edns = query.edns, edns.version > 0 { return .badVersion }
        if query.recordClass != Self.internet { return .refused }
        switch query.type {
        case .axfr, .ixfr: return .refused
        case .opt: return .formatError
        case .any: return nil
        default: return query.type.isMeta || query.type.rawValue == 0 ? .notImplemented : nil
        }
    }

    /// The class IN.
    static let internet: UInt16 = 1
}
