import DNSWire
import Snapshot

/// Which records of an upstream's answer a client does not get.
struct Withheld: Equatable, BitwiseCopyable {
    var kind = Kind.none
    /// The type asked for, if its RRset is signed: what would be left of it would not validate, so all of it
    /// goes, with its signatures.
    var signedType: RecordType?

    enum Kind: BitwiseCopyable {
        case none
        /// Addresses of private zones that the client does not see.
        case hidden
        /// Private addresses, where an alias of a rule with `private-answers: strip` led here.
        case isPrivate
    }

    static let nothing = Withheld()
}

/// Stage: keeps addresses from clients that an upstream tells everybody (`private-answers`).
extension Pipeline {
    /// What is to be withheld of an upstream's answer.
    ///
    /// Nearly all answers have nothing of the kind, and are only looked through.
    @inline(__always)
    func withheld(
        of payload: Span<UInt8>,
        _ cached: CachedResponse,
        _ query: Query,
        rule: Int,
        client: ClientClass,
        in snapshot: borrowing CompiledSnapshot
    ) -> Withheld {
        guard query.type.hasAddresses, response.blocksPrivate || snapshot.isGuarded(rule: rule)
        else { return .nothing }
        let kind = kind(of: payload, cached, rule: rule, client: client, in: snapshot)
        guard kind != .none, cached.isSigned(payload, type: query.type) else {
            return Withheld(kind: kind)
        }
        return Withheld(kind: kind, signedType: query.type)
    }

    @inline(__always)
    private func kind(
        of payload: Span<UInt8>,
        _ cached: CachedResponse,
        rule: Int,
        client: ClientClass,
        in snapshot: borrowing CompiledSnapshot
    ) -> Withheld.Kind {
        if response.blocksPrivate {
            return cached.hasRecord(payload) { $0.holdsPrivateAddress($1, of: $2) }
                ? .isPrivate : .none
        }
        let isFound = cached.hasRecord(payload) { octets, rdata, type in
            octets.holdsAddress(rdata, of: type) { snapshot.isHidden($0, from: client) }
        }
        guard isFound, snapshot.rules[rule].privateAnswers.areGuarded(for: name) else {
            return .none
        }
        return .hidden
    }

    /// True of a record of an upstream's answer that the client does not get; the reply says so.
    mutating func withholds(
        _ record: MessageReader.Record,
        of message: Span<UInt8>,
        rule: Int,
        client: ClientClass,
        in snapshot: borrowing CompiledSnapshot
    ) -> Bool {
        guard response.withheld.kind != .none, record.section == .answer,
            isMeant(record, of: message, client: client, in: snapshot),
            response.withheld.kind == .isPrivate
                || !isPublic(record.owner, of: message, rule: rule, in: snapshot)
        else { return false }
        response.error = .blocked
        response.isAuthentic = false
        response.answerCount &-= 1
        return true
    }

    private func isMeant(
        _ record: MessageReader.Record,
        of message: Span<UInt8>,
        client: ClientClass,
        in snapshot: borrowing CompiledSnapshot
    ) -> Bool {
        if let type = response.withheld.signedType {
            return record.type == type || message.isSignature(record, of: type)
        }
        if response.withheld.kind == .isPrivate { return record.holdsPrivateAddress(in: message) }
        return message.holdsAddress(record.rdata..<record.rdataEnd, of: record.type) {
            snapshot.isHidden($0, from: client)
        }
    }

    /// True if the public DNS tells the addresses of an owner to everybody, as an alias may lead to it.
    private mutating func isPublic(
        _ owner: Int,
        of message: Span<UInt8>,
        rule: Int,
        in snapshot: borrowing CompiledSnapshot
    ) -> Bool {
        guard (try? target.read(compressedIn: message, at: owner)) != nil else { return false }
        return !snapshot.rules[rule].privateAnswers.areGuarded(for: target)
    }
}

extension Span where Element == UInt8 {
    /// True of an RRSIG record of RRsets of a type (RFC 4034 §3.1.1).
    fileprivate func isSignature(_ record: MessageReader.Record, of type: RecordType) -> Bool {
        record.type == .rrsig && bigEndian16(at: record.rdata) == type.rawValue
    }
}
