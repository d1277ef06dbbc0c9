import DNSWire
import Resolver
import Upstream

/// Any octets as an upstream's message, after a first octet that selects the question's options.
enum AnswerTarget {
    static func run(_ input: [UInt8]) throws(BrokenProperty) {
        guard let options = input.first.map(Options.init(rawValue:)) else { return }
        let message = Array(input.dropFirst())
        guard let name = try? message.span.name(at: Header.size),
            let end = try? message.span.nameEnd(at: Header.size),
            let type = message.span.bigEndian16(at: end)
        else { return }
        let query = self.query(for: name, RecordType(rawValue: type), options)
        let asked = try Exchange(message: query).run()
        guard let question = asked.missing,
            let result = try scrub(message, question, name, options)
        else { return }
        try readAgain(result, question, name, options)
        try deliver(result, question, asked.name, query)
    }

    private struct Options: OptionSet {
        let rawValue: UInt8

        static let dnssecOK = Options(rawValue: 1)
        static let checkingDisabled = Options(rawValue: 2)
        static let stripsPrivate = Options(rawValue: 4)
        /// The rule is for the name's last two labels, not for the root.
        static let narrowRule = Options(rawValue: 8)
    }

    private static func query(
        for name: DomainName,
        _ type: RecordType,
        _ options: Options
    ) -> [UInt8] {
        let flags: [UInt8] = [1, options.contains(.checkingDisabled) ? 0x10 : 0]
        let typeOctets = [UInt8(type.rawValue >> 8), UInt8(type.rawValue & 0xFF)]
        return [0x2A, 0x17] + flags + [0, 1, 0, 0, 0, 0, 0, 1] + name.octets + typeOctets + [0, 1]
            + [0, 0, 41, 4, 208, 0, 0, options.contains(.dnssecOK) ? 0x80 : 0, 0, 0, 0]
    }

    private static func scrub(
        _ message: [UInt8],
        _ question: UpstreamQuestion,
        _ name: DomainName,
        _ options: Options
    ) throws(BrokenProperty) -> ResponseScrubber.Result? {
        var zone = DomainName.root
        if options.contains(.narrowRule) {
            for label in name.labels.suffix(2).reversed() {
                zone = zone.prepending(label: label) ?? zone
            }
        }
        return try? ResponseScrubber.scrub(
            message.span,
            answering: question,
            name: name,
            ruleZone: zone,
            stripsPrivate: options.contains(.stripsPrivate),
            limits: TTLLimits()
        )
    }

    /// The kept part is a complete answer, and scrubbing it again gives the same, except for letter
    /// case.
    ///
    /// A name that a DNAME makes has the letters of its first occurrence in the message.
    private static func readAgain(
        _ result: ResponseScrubber.Result,
        _ question: UpstreamQuestion,
        _ name: DomainName,
        _ options: Options
    ) throws(BrokenProperty) {
        guard let kept = CachedResponse(result.payload.span) else {
            throw BrokenProperty(description: "a payload that can't be read: \(result.payload)")
        }
        let ttlCount = Int(result.payload[6]) << 8 | Int(result.payload[7])
        let body = result.payload[(10 + 2 * ttlCount + 6 * kept.aliasCount)...]
        let counts = Array(result.payload[2..<6])
        let rcode = UInt8(truncatingIfNeeded: kept.rcode.rawValue)
        let type = [UInt8(question.type.rawValue >> 8), UInt8(question.type.rawValue & 0xFF)]
        let message =
            [0, 0, 0x81, (kept.isAuthentic ? 0xA0 : 0x80) | rcode, 0, 1] + counts + [0, 0]
            + name.octets + type + [0, 1] + body
        let types = try Exchange.types(of: message)
        try require(types.count == ttlCount, "a payload with \(ttlCount) TTLs for \(types)")
        guard !result.isStripped else { return }
        let again = try scrub(message, question, name, options)
        try require(
            again?.payload.map(DomainName.fold) == result.payload.map(DomainName.fold),
            "kept \(result.payload), of which \(again?.payload ?? []) would be kept"
        )
    }

    /// Clients that wait and clients that query later in the same second get the same answer.
    private static func deliver(
        _ result: ResponseScrubber.Result,
        _ question: UpstreamQuestion,
        _ asked: DomainName,
        _ query: [UInt8]
    ) throws(BrokenProperty) {
        var resolution = Resolution()
        resolution.earlier = [
            FreshAnswer(
                question: question,
                name: asked.folded,
                payload: result.payload
            )
        ]
        let fresh = try Exchange(message: query).run(knowing: resolution)
        try require(fresh.missing != question || fresh.name != asked, "asked twice")
        guard result.lifetime > 0 else { return }
        var name = FoldedName(seed: FuzzWorld.seed)
        name.read(asked)
        var exchange = Exchange(message: query, cache: ResponseCache(byteCount: 1 << 16))
        exchange.cache.store(
            CacheKey(question, name),
            name,
            payload: result.payload.span,
            storedAt: exchange.now,
            expiresAt: exchange.now + result.lifetime
        )
        try require(try exchange.run() == fresh, "the cache says something else")
        exchange.now += result.lifetime / 2
        _ = try exchange.run()
    }
}
