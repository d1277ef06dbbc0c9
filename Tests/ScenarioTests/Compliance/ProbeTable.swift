import DNSWire
import TestSupport

extension Probe {
    /// All rows; in rows without an entry for Zonal, it replies as expected.
    static let table = plain + opcodes + extended + options + malformed + otherQuestions + streams

    private static let answered = "NOERROR question answer"
    private static let answeredWithOPT = "NOERROR question answer OPT"

    // MARK: RFC 8906 §8.1: without EDNS

    private static let plain = [
        Probe("a query", query(), answered),
        Probe(
            "a query without RD",
            query(flags: 0),
            "REFUSED question",
            but: [.bind: .init(reply: answered, reason: "it answers from its cache")]
        ),
        Probe(
            "an unknown type",
            query("www.example.org", .init(rawValue: 1000)),
            "NOERROR question"
        ),
        Probe("the reserved header flag", query(flags: 0x0140), answered),
        Probe("AD", query(flags: 0x0120), answered),
        Probe("CD", query(flags: 0x0110), answered),
        Probe(
            "AA, TC and RA, which no query has",
            query(flags: 0x0780),
            answered,
            but: [.unbound: .init(reply: "FORMERR question", reason: "TC in a query")]
        ),
    ]

    // MARK: §8.1.4, RFC 2136, RFC 1996, RFC 8490

    private static let headerAlone = "its NOTIMP is a header alone"
    private static let notAuthoritative = "it has no such zone: NOTAUTH"

    private static let opcodes = [
        Probe(
            "an unknown opcode",
            query(flags: 0x7900),
            "NOTIMP opcode 15 question",
            but: [.bind: .init(reply: "NOTIMP opcode 15", reason: headerAlone)]
        ),
        Probe(
            "an unknown opcode with EDNS",
            edns(flags: 0x7900),
            "NOTIMP opcode 15 question OPT",
            but: [.bind: .init(reply: "NOTIMP opcode 15 OPT", reason: headerAlone)]
        ),
        Probe(
            "an unknown opcode, header alone",
            query(flags: 0x7800, questions: 0),
            "NOTIMP opcode 15"
        ),
        Probe(
            "IQUERY",
            query(flags: 0x0900),
            "NOTIMP opcode 1 question",
            but: [.bind: .init(reply: "NOTIMP opcode 1", reason: headerAlone)]
        ),
        Probe(
            "STATUS",
            query(flags: 0x1100),
            "NOTIMP opcode 2 question",
            but: [.bind: .init(reply: "NOTIMP opcode 2", reason: headerAlone)]
        ),
        Probe(
            "NOTIFY",
            query("example.org", .soa, flags: 0x2000),
            "NOTIMP opcode 4 question",
            but: [
                .bind: .init(reply: "RCODE9 opcode 4 question", reason: notAuthoritative),
                .unbound: .init(
                    reply: "REFUSED opcode 4 question",
                    reason: "it takes NOTIFY of some"
                ),
            ]
        ),
        Probe(
            "UPDATE",
            query("example.org", .soa, flags: 0x2800),
            "REFUSED opcode 5 question",
            but: [
                .bind: .init(reply: "RCODE9 opcode 5 question", reason: notAuthoritative),
                .unbound: .init(reply: "NOTIMP opcode 5 question", reason: "it knows no UPDATE"),
            ]
        ),
        Probe("DSO", query(flags: 0x3000, questions: 0), "NOTIMP opcode 6"),
    ]

    // MARK: §8.2: EDNS

    private static let extended = [
        Probe("EDNS", edns(), answeredWithOPT),
        Probe("EDNS with 512 octets", edns(size: 512), answeredWithOPT),
        Probe("EDNS with 0 octets", edns(size: 0), answeredWithOPT),
        Probe("version 1", edns(version: 1), "BADVERS question OPT"),
        Probe("version 255", edns(version: 255), "BADVERS question OPT"),
        Probe(
            "version 1 and an unknown option",
            edns(option(65001, [1]), version: 1),
            "BADVERS question OPT"
        ),
        Probe(
            "version 1 and an unknown flag",
            edns(version: 1, ednsFlags: 0x40),
            "BADVERS question OPT"
        ),
        Probe("version 1 and DO", edns(version: 1, ednsFlags: 0x8000), "BADVERS question OPT DO"),
        Probe("an unknown option", edns(option(65001, [1, 2])), answeredWithOPT),
        Probe("an unknown EDNS flag", edns(ednsFlags: 0x40), answeredWithOPT),
        Probe("DO", edns(ednsFlags: 0x8000), "NOERROR question answer OPT DO"),
        Probe("all EDNS flags", edns(ednsFlags: 0xFFFF), "NOERROR question answer OPT DO"),
    ]

    // MARK: RFC 5001, 7828, 7830, 7871, 7873

    private static let cookie = option(10, [1, 2, 3, 4, 5, 6, 7, 8])
    private static let foreignCookie = option(10, Array(0..<24))
    private static let withoutCookies = "its cookies are off by default"
    private static let answeredWithCookie = "NOERROR question answer OPT COOKIE"

    private static let options = [
        Probe("NSID where none is configured", edns(option(3)), answeredWithOPT),
        Probe(
            "a cookie",
            edns(cookie),
            answeredWithCookie,
            but: [.unbound: .init(reply: answeredWithOPT, reason: withoutCookies)]
        ),
        Probe(
            "a cookie with somebody else's server part",
            edns(foreignCookie),
            answeredWithCookie,
            but: [.unbound: .init(reply: answeredWithOPT, reason: withoutCookies)]
        ),
        Probe(
            "a cookie of 7 octets",
            edns(option(10, [1, 2, 3, 4, 5, 6, 7])),
            "FORMERR question OPT",
            but: [.unbound: .init(reply: answeredWithOPT, reason: withoutCookies)]
        ),
        Probe(
            "a cookie and no question",
            edns(cookie, questions: 0),
            "NOERROR OPT COOKIE",
            but: [.unbound: .init(reply: "FORMERR OPT COOKIE", reason: withoutCookies)]
        ),
        Probe("edns-tcp-keepalive over UDP", edns(option(11)), answeredWithOPT),
        Probe("padding", edns(option(12, [0, 0, 0, 0])), answeredWithOPT),
        Probe(
            "a client subnet",
            edns(option(8, [0, 1, 0, 0])),
            answeredWithOPT,
            but: [
                .bind: .init(reply: "NOERROR question answer OPT SUBNET", reason: "it returns it")
            ]
        ),
    ]

    // MARK: RFC 9619, RFC 6891 §6.1.1

    private static let echoes = "it sends back what it did not understand"
    private static let tolerates = "it reads as far as it must, where others might read on"

    private static let malformed = [
        Probe("no question", query(questions: 0), "FORMERR"),
        Probe(
            "two questions",
            query(questions: 2, behind: Array(query()[Header.size...])),
            "FORMERR",
            but: [.unbound: .init(reply: "FORMERR 2 questions", reason: echoes)]
        ),
        Probe(
            "two OPTs",
            query(additional: 2, behind: opt() + opt()),
            "FORMERR",
            but: [
                .bind: .init(reply: "FORMERR question", reason: echoes),
                .unbound: .init(reply: "FORMERR question OPT OPT", reason: echoes),
            ]
        ),
        Probe(
            "an OPT with an owner",
            query(additional: 1, behind: [1, 0x61] + opt()),
            "FORMERR",
            but: [
                .bind: .init(reply: "FORMERR question", reason: echoes),
                .unbound: .init(reply: "FORMERR question OPT", reason: echoes),
            ]
        ),
        Probe(
            "an option longer than its OPT",
            edns([0xFD, 0xE9, 0, 9, 1, 2]),
            "FORMERR",
            but: [
                .bind: .init(reply: "FORMERR question", reason: echoes),
                .unbound: .init(reply: answeredWithOPT, reason: tolerates),
            ]
        ),
        Probe(
            "an octet behind the message",
            query(behind: [0]),
            "FORMERR",
            but: [
                .bind: .init(reply: answered, reason: tolerates),
                .unbound: .init(reply: answered, reason: tolerates),
            ]
        ),
        Probe(
            "a question cut short",
            Array(query().dropLast(3)),
            "FORMERR",
            but: [.unbound: .init(reply: "malformed", reason: "it sends back half a question")]
        ),
        Probe("eleven octets", Array(query()[..<11]), "nothing"),
        Probe("a response", query(flags: 0x8100), "nothing"),
    ]

    // MARK: Classes and types

    private static let tellsItself = "it tells of itself by default"
    private static let asksOn = "it looks any such type up"
    private static let otherRefusal = "it refuses, too, with another rcode"

    private static let otherQuestions = [
        Probe(
            "version.bind of class CH",
            query("version.bind", .txt, class: 3),
            "REFUSED question",
            but: [
                .bind: .init(reply: answered, reason: tellsItself),
                .unbound: .init(reply: answered, reason: tellsItself),
            ]
        ),
        Probe(
            "id.server of class CH",
            query("id.server", .txt, class: 3),
            "REFUSED question",
            but: [
                .bind: .init(reply: "NOERROR question", reason: "it says that it has none"),
                .unbound: .init(reply: answered, reason: tellsItself),
            ]
        ),
        Probe("class HS", query(class: 4), "REFUSED question"),
        Probe(
            "class ANY",
            query(class: 255),
            "REFUSED question",
            but: [
                .bind: .init(reply: "FORMERR question", reason: otherRefusal),
                .unbound: .init(reply: answered, reason: "it takes ANY for IN"),
            ]
        ),
        Probe(
            "class NONE",
            query(class: 254),
            "REFUSED question",
            but: [.bind: .init(reply: "FORMERR question", reason: otherRefusal)]
        ),
        Probe("type OPT", query("www.example.org", .opt), "FORMERR question"),
        Probe(
            "type 0",
            query("www.example.org", .init(rawValue: 0)),
            "NOTIMP question",
            but: [
                .bind: .init(reply: "NOERROR question", reason: asksOn),
                .unbound: .init(reply: "NOERROR question", reason: asksOn),
            ]
        ),
        Probe(
            "type 65535",
            query("www.example.org", .init(rawValue: 65_535)),
            "NOTIMP question",
            but: [
                .bind: .init(reply: "NOERROR question", reason: asksOn),
                .unbound: .init(reply: "NOERROR question", reason: asksOn),
            ]
        ),
        Probe(
            "type TSIG",
            query("www.example.org", .tsig),
            "NOTIMP question",
            but: [
                .bind: .init(reply: "FORMERR question", reason: otherRefusal),
                .unbound: .init(reply: "FORMERR question", reason: otherRefusal),
            ]
        ),
        Probe(
            "type MAILA",
            query("www.example.org", .maila),
            "NOTIMP question",
            but: [.unbound: .init(reply: "FORMERR question", reason: otherRefusal)]
        ),
        Probe(
            "IXFR",
            query("example.org", .ixfr),
            "REFUSED question",
            but: [.bind: .init(reply: "RCODE9 question", reason: notAuthoritative)]
        ),
    ]

    // MARK: Over TCP

    private static let streams = [
        Probe("TCP", query(), over: .stream, answered),
        Probe("TCP with EDNS", edns(), over: .stream, answeredWithOPT),
        Probe(
            "TCP with DO",
            edns(ednsFlags: 0x8000),
            over: .stream,
            "NOERROR question answer OPT DO"
        ),
        Probe("TCP with version 1", edns(version: 1), over: .stream, "BADVERS question OPT"),
        Probe(
            "TCP with an unknown option",
            edns(option(65001, [1])),
            over: .stream,
            answeredWithOPT
        ),
        Probe(
            "TCP with an unknown opcode",
            query(flags: 0x7900),
            over: .stream,
            "NOTIMP opcode 15 question",
            but: [.bind: .init(reply: "NOTIMP opcode 15", reason: headerAlone)]
        ),
        Probe(
            "TCP with edns-tcp-keepalive",
            edns(option(11)),
            over: .stream,
            "NOERROR question answer OPT KEEPALIVE",
            but: [
                .unbound: .init(reply: answeredWithOPT, reason: "its keepalive is off by default")
            ]
        ),
        Probe("TCP without a question", query(questions: 0), over: .stream, "FORMERR"),
        Probe(
            "TCP with an octet behind the message",
            query(behind: [0]),
            over: .stream,
            "FORMERR",
            but: [
                .bind: .init(reply: answered, reason: tolerates),
                .unbound: .init(reply: answered, reason: tolerates),
            ]
        ),
        Probe(
            "AXFR",
            query("example.org", .axfr),
            over: .stream,
            "REFUSED question",
            but: [.bind: .init(reply: "RCODE9 question", reason: notAuthoritative)]
        ),
        Probe("TCP with a response", query(flags: 0x8100), over: .stream, "nothing"),
    ]
}
