import DNSWire
import Snapshot

/// Which records of an upstream's answer are withheld from a client.
struct Withheld: OptionSet, BitwiseCopyable {
    var rawValue: UInt8

    /// Addresses of private zones that the client does not see.
    static let hidden = Withheld(rawValue: 1)
    /// Private addresses, after an alias of a rule with `private-answers: strip`.
    static let allPrivate = Withheld(rawValue: 2)
    /// All of the RRset and its signatures: it is signed, and a part of it would not validate.
    static let wholeSet = Withheld(rawValue: 4)
}

/// Stage: withholds addresses that upstreams send from clients that must not get them
/// (`private-answers`).
extension Pipeline {
    /// Returns true if records of an answer may have to be withheld; for most answers the kinds of
    /// their addresses exclude it.
    @inline(__always)
    func mayWithhold(
        of cached: CachedResponse,
        in snapshot: borrowing CompiledSnapshot
    ) -> Bool {
        response.blocksPrivate || !cached.addressKinds.isDisjoint(with: snapshot.guardedKinds)
    }

    /// Returns what has to be withheld of an upstream's answer.
    @inline(never)
    func withheld(
        of payload: Span<UInt8>,
        _ cached: CachedResponse,
        rule: RuleInForce,
        in snapshot: borrowing CompiledSnapshot
    ) -> Withheld {
        guard request.type.hasAddresses else { return [] }
        var withheld: Withheld = []
        if response.blocksPrivate,
            cached.hasRecord(payload, where: { $0.holdsPrivateAddress($1, of: $2) })
        {
            withheld.insert(.allPrivate)
        }
        // The servers of a delegation may send any address.
        if case .numbered(let number) = rule, snapshot.isGuarded(rule: number),
            cached.hasRecord(
                payload,
                where: { octets, rdata, type in
                    octets.holdsAddress(rdata, of: type) {
                        snapshot.isHidden($0, from: request.client)
                    }
                }
            ), snapshot.rules[number].privateAnswers.areGuarded(for: name)
        {
            withheld.insert(.hidden)
        }
        if !withheld.isEmpty, cached.isSigned(payload, type: request.type) {
            withheld.insert(.wholeSet)
        }
        return withheld
    }

    /// Returns true if a record of an upstream's answer is withheld; sets the reply's extended
    /// error then.
    mutating func withholds(
        _ record: MessageReader.Record,
        of message: Span<UInt8>,
        rule: RuleInForce,
        in snapshot: borrowing CompiledSnapshot
    ) -> Bool {
        guard !response.withheld.isEmpty, record.section == .answer,
            isPrivate(record, of: message, asked: request.type)
                || isHidden(record, of: message, in: snapshot)
                    && !isPublic(record.owner, of: message, rule: rule, in: snapshot)
        else { return false }
        response.error = .blocked
        response.isAuthentic = false
        return true
    }

    private func isPrivate(
        _ record: MessageReader.Record,
        of message: Span<UInt8>,
        asked type: RecordType
    ) -> Bool {
        guard response.withheld.contains(.allPrivate) else { return false }
        if response.withheld.contains(.wholeSet) { return message.isInSet(record, of: type) }
        return record.holdsPrivateAddress(in: message)
    }

    private func isHidden(
        _ record: MessageReader.Record,
        of message: Span<UInt8>,
        in snapshot: borrowing CompiledSnapshot
    ) -> Bool {
        guard response.withheld.contains(.hidden) else { return false }
        if response.withheld.contains(.wholeSet) {
            return message.isInSet(record, of: request.type)
        }
        return message.holdsAddress(record.rdata..<record.rdataEnd, of: record.type) {
            snapshot.isHidden($0, from: request.client)
        }
    }

    /// Returns true if the rule exempts the owner, whose private addresses are public
    /// (`allow-private`, VPC endpoints).
    private mutating func isPublic(
        _ owner: Int,
        of message: Span<UInt8>,
        rule: RuleInForce,
        in snapshot: borrowing CompiledSnapshot
    ) -> Bool {
        guard case .numbered(let number) = rule,
            case .guard = snapshot.rules[number].privateAnswers,
            (try? target.read(compressedIn: message, at: owner)) != nil
        else { return false }
        return !snapshot.rules[number].privateAnswers.areGuarded(for: target)
    }
}

extension Span where Element == UInt8 {
    /// Returns true for the records of an RRset and for its signatures (RFC 4034 §3.1.1).
    fileprivate func isInSet(_ record: MessageReader.Record, of type: RecordType) -> Bool {
        record.type == type
            || record.type == .rrsig && bigEndian16(at: record.rdata) == type.rawValue
    }
}
