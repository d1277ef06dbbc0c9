import DNSWire
import Resolver
import Upstream

/// Any octets as the payload of a cache entry, or as a series of stores and reads; the first octet
/// selects.
enum CacheTarget {
    static func run(_ input: [UInt8]) throws(BrokenProperty) {
        guard let first = input.first else { return }
        let rest = Array(input.dropFirst())
        if first & 1 == 0 {
            try answer(from: rest, withOPT: first & 2 != 0)
        } else {
            try course(rest)
        }
    }

    // MARK: A payload

    /// For any payload, the reply is bounded and answers the question.
    private static func answer(from payload: [UInt8], withOPT: Bool) throws(BrokenProperty) {
        let question: [UInt8] = [3] + "www".utf8 + [7] + "example".utf8 + [0, 0, 1, 0, 1]
        let opt: [UInt8] = [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]
        let query: [UInt8] =
            [0x2A, 0x17, 1, 0, 0, 1, 0, 0, 0, 0, 0, withOPT ? 1 : 0] + question
            + (withOPT ? opt : [])
        var exchange = Exchange(message: query, cache: ResponseCache(byteCount: 1 << 16))
        exchange.readsReplies = false
        let asked = try exchange.run()
        guard let upstream = asked.missing else { return }
        var name = FoldedName(seed: FuzzWorld.seed)
        name.read(asked.name)
        exchange.cache.store(
            CacheKey(upstream, name),
            name,
            payload: payload.span,
            storedAt: 0,
            expiresAt: 60
        )
        try exchange.runToReply()
    }

    // MARK: A course

    /// A small cache beside a table that forgets nothing: a read returns what was stored last, or
    /// nothing.
    private static func course(_ steps: [UInt8]) throws(BrokenProperty) {
        let cache = ResponseCache(byteCount: 1 << 16)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 8)
        defer { unsafe memory.deallocate() }
        var name = FoldedName(seed: FuzzWorld.seed)
        var table: [Key: [UInt8]] = [:]
        for (number, step) in stride(from: 0, to: steps.count - 3, by: 4).enumerated() {
            let key = Key(name: steps[step + 1] & 15, kind: steps[step + 1] >> 4)
            let text = "n\(key.name).z\(key.name & 3)"
            name.read(DomainName(text) ?? .root)
            let cacheKey = CacheKey(key.question, name)
            switch steps[step] & 7 {
            case 0...3:
                let size = Int(steps[step + 2]) << 6 | Int(steps[step + 3])
                let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 ^ number) }
                cache.store(cacheKey, name, payload: payload.span, storedAt: 1, expiresAt: 9)
                table[key] = payload
            case 4...5:
                // Sound: the memory is read before the next step writes to it.
                let entry = unsafe cache.read(cacheKey, name, into: memory)
                let read = entry.map { unsafe Array(memory[..<$0.length]) }
                try require(read == nil || read == table[key], "a read of \(key) at \(number)")
            case 6:
                cache.remove(cacheKey, name)
                table[key] = nil
            default:
                cache.flush(below: DomainName("z\(key.name & 3)") ?? .root)
                table = table.filter { $0.key.name & 3 != key.name & 3 }
            }
            try require(cache.entryCount <= table.count, "more entries than were stored")
        }
    }

    private struct Key: Hashable {
        var name: UInt8
        var kind: UInt8

        var question: UpstreamQuestion {
            UpstreamQuestion(
                routeID: UInt64(kind & 1),
                type: kind & 2 == 0 ? .a : .txt,
                dnssecOK: kind & 4 != 0,
                checkingDisabled: kind & 8 != 0
            )
        }
    }
}
