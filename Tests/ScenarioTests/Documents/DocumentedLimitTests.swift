import TestSupport
import Testing

/// A figure of docs/reference/limits.md, and the line of the code that it comes from.
private struct Figure {
    var what: String
    var figure: String
    /// Below `Sources`.
    var file: String
    var code: String

    init(_ what: String, _ figure: String, _ file: String, _ code: String) {
        (self.what, self.figure, self.file, self.code) = (what, figure, file, code)
    }

    private static let question = "Upstream/Questions/Question.swift"
    private static let record = "Upstream/Servers/ServerRecord.swift"
    private static let loop = "Server/Waiting/LoopSearch.swift"
    private static let yaml = "Control/Configuration/YAML/YAMLReader.swift"
    private static let sections = "Control/Configuration/Sections"
    private static let zoneFile = "Control/ZoneFile"

    static let all = queries + upstreams + process + files

    private static let queries = [
        Figure(
            "octets of a reply over UDP, or what the client says if that is less",
            "1232",
            "DNSWire/Messages/Query.swift",
            "safePayloadSize: UInt16 { 1232 }"
        ),
        Figure(
            "aliases in a row that are followed",
            "16",
            "Snapshot/CompiledSnapshot.swift",
            "aliasLimit: Int { 16 }"
        ),
        Figure(
            "time until a waiting client gets SERVFAIL",
            "4.95 s",
            "Server/Waiting/WaitingClients.swift",
            "patience: Milliseconds = 4_950"
        ),
        Figure(
            "time until a waiting client gets an expired answer, if there is one",
            "1.8 s",
            "Upstream/Questions/Forwarder.swift",
            "stalePatience: Milliseconds = 1_800"
        ),
        Figure(
            "TTL of an expired answer",
            "30 s",
            "Resolver/Cache/CachedResponse.swift",
            "case .stale: 30"
        ),
        Figure(
            "TTL of special names",
            "3 h",
            "Snapshot/Special/SpecialName.swift",
            "ttl: UInt32 = 10_800"
        ),
        Figure(
            "clients that wait for one upstream query",
            "1,000",
            question,
            "waiterLimit = 1_000"
        ),
        Figure(
            "life of a DNS cookie",
            "1 h",
            "DNSWire/Messages/ServerCookie.swift",
            "lifetime: Int32 = 3600"
        ),
        Figure(
            "clock difference that a DNS cookie may have",
            "5 min",
            "DNSWire/Messages/ServerCookie.swift",
            "clockSkew: Int32 = 300"
        ),
        Figure(
            "open TCP connections above which refused clients cannot connect",
            "half of `limits.tcp-connections`",
            "Server/Stream/StreamAdmission.swift",
            "count * 2 >= limits.connections"
        ),
        Figure(
            "time after SIGTERM until the server ends",
            "4 s",
            "Server/ServerSettings.swift",
            "drainTimeout: Milliseconds = 4000"
        ),
    ]

    private static let upstreams = [
        Figure(
            "time for one client query at upstreams, all attempts together",
            "4.9 s",
            question,
            "budget: Milliseconds = 4_900"
        ),
        Figure(
            "time until the next upstream is tried, for the first attempt",
            "0.8 s",
            question,
            "firstPatience: Milliseconds = 800"
        ),
        Figure(
            "time for an attempt over TCP",
            "2.5 s",
            question,
            "connectionPatience: Milliseconds = 2_500"
        ),
        Figure("attempts for one query", "12", question, "attemptLimit = 12"),
        Figure("failures in a row until an upstream is down", "3", record, "failureLimit = 3"),
        Figure(
            "first pause before an upstream that is down is tried again",
            "1 s",
            record,
            "firstProbeDelay: Milliseconds = 1_000"
        ),
        Figure("longest pause", "60 s", record, "longestProbeDelay: Milliseconds = 60_000"),
        Figure(
            "SERVFAIL or REFUSED in a row until an upstream is refusing",
            "3",
            record,
            "refusalLimit = 3"
        ),
        Figure(
            "time that a failed query is answered from memory, at first",
            "1 s",
            "Upstream/Questions/FailureMemory.swift",
            "shortest: Milliseconds = 1_000"
        ),
        Figure(
            "the same, at most",
            "30 s",
            "Upstream/Questions/FailureMemory.swift",
            "longest: Milliseconds = 30_000"
        ),
        Figure(
            "time that an upstream is asked without EDNS, or in lower case, once that was needed",
            "5 min",
            record,
            "plainTime: Milliseconds = 300_000"
        ),
        Figure(
            "queries that one UDP port is used for",
            "32",
            "Upstream/Datagrams/UpstreamSocket.swift",
            "useLimit = 32"
        ),
        Figure(
            "time that one UDP port is used for",
            "10 s",
            "Upstream/Datagrams/UpstreamSockets.swift",
            "lifetime: Milliseconds = 10_000"
        ),
        Figure(
            "UDP sockets to one upstream, for each worker",
            "256",
            "Upstream/Datagrams/SocketPool.swift",
            "capacity = 256"
        ),
        Figure(
            "name servers of a delegation whose names are looked up",
            "4",
            "Resolver/Delegation.swift",
            "lookupLimit = 4"
        ),
        Figure(
            "addresses of a delegation that are asked",
            "16",
            "Resolver/Delegation.swift",
            "addressLimit = 16"
        ),
        Figure(
            "servers that `system` takes from /etc/resolv.conf",
            "16",
            "Control/Configuration/SystemResolvers.swift",
            "(sizeLimit, serverLimit) = (65_536, 16)"
        ),
        Figure(
            "pause between two probes for a forwarding loop",
            "10 min",
            loop,
            "longPause: Milliseconds = 600_000"
        ),
        Figure(
            "the same, while something is wrong",
            "30 s",
            loop,
            "shortPause: Milliseconds = 30_000"
        ),
        Figure(
            "shortest time between two probes, however many reloads there are",
            "10 s",
            loop,
            "leastPause: Milliseconds = 10_000"
        ),
        Figure(
            "records of an upstream's answer",
            "4,096",
            "Resolver/Cache/ResponseScrubber.swift",
            "recordLimit = 4096"
        ),
    ]

    private static let process = [
        Figure(
            "reloads that may begin at once",
            "4",
            "zonal/Serve/ReloadPace.swift",
            "burst = 4.0"
        ),
        Figure(
            "reloads a second after that",
            "1",
            "zonal/Serve/ReloadPace.swift",
            "distance = 1000.0"
        ),
        Figure(
            "time before a reload that replaced another can itself be replaced",
            "10 s",
            "zonal/Serve/ReloadPace.swift",
            "successorTime: UInt64 = 10_000"
        ),
        Figure(
            "pause between looks at /etc/resolv.conf, and between attempts to listen on a missing address",
            "1 s",
            "Server/LateListener.swift",
            "period = Duration.seconds(1)"
        ),
        Figure(
            "octets of the log's queue",
            "1 MiB",
            "Server/Log/LogQueue.swift",
            "capacity: Int = 1 << 20"
        ),
        Figure(
            "mistakes that a reload logs; `zonal check` prints all",
            "100",
            "zonal/Serve/Reloader.swift",
            "shown = 100"
        ),
        Figure(
            "pause between two messages about `rate-limit`",
            "1 min",
            "Server/Datagram/LimitingLog.swift",
            "pause: Milliseconds = 60_000"
        ),
        Figure(
            "differences after which `zonal diff` stops",
            "10,000",
            "zonal/Diff/DiffCommand.swift",
            "limit = 10_000"
        ),
    ]

    private static let files = [
        Figure("listeners", "1,000", "\(sections)/ConfigurationDraft.swift", "atMost: 1_000"),
        Figure("upstreams of a rule", "64", "\(sections)/RuleDraft.swift", "atMost: 64"),
        Figure("size of a file", "2 GiB", "Control/Files/FileLoader.swift", "sizeLimit = 1 << 31"),
        Figure(
            "values of a YAML file, aliases written out",
            "100,000, and one for each 8 octets",
            yaml,
            "limit = 100_000 + octets.count / 8"
        ),
        Figure("keys of a mapping", "1,000", yaml, "keyLimit = 1_000"),
        Figure("anchors of a YAML file", "10,000", yaml, "anchorLimit = 10_000"),
        Figure("nesting of a YAML file", "32", yaml, "depthLimit = 32"),
        Figure(
            "names and data of a zone",
            "16 MiB, and 8 times its text",
            "\(zoneFile)/ZoneFileSession.swift",
            "min(16 << 20 + 8 * textOctets"
        ),
        Figure(
            "zones made of one file, names and data together",
            "16 MiB, and twice the text of all zone files",
            "Control/Configuration/World/ZoneReader.swift",
            "repeatLimit = 16 << 20"
        ),
        Figure(
            "files that a zone includes",
            "1,000",
            "\(zoneFile)/IncludeDirective.swift",
            "fileLimit = 1_000"
        ),
        Figure(
            "depth of `$INCLUDE`",
            "16",
            "\(zoneFile)/IncludeDirective.swift",
            "depthLimit = 16"
        ),
        Figure(
            "text of files that a zone includes again",
            "1 MiB, and half of the text read before",
            "\(zoneFile)/IncludeDirective.swift",
            "repeatLimit = 1 << 20"
        ),
        Figure(
            "records that `$GENERATE` makes, in all zones",
            "1,000,000",
            "\(zoneFile)/GenerateDirective.swift",
            "recordLimit = 1_000_000"
        ),
        Figure(
            "text that `$GENERATE` makes, in all zones",
            "64 MiB",
            "\(zoneFile)/GenerateDirective.swift",
            "octetLimit = 1 << 26"
        ),
        Figure(
            "mistakes that are shown",
            "10,000",
            "Control/Diagnostics/ConfigurationJournal.swift",
            "limit = 10_000"
        ),
        Figure(
            "mistakes that are shown of a zone file",
            "100",
            "\(zoneFile)/ZoneFileReader.swift",
            "errorLimit = 100"
        ),
        Figure(
            "overlaps of VPCs that are shown",
            "100",
            "Control/Configuration/World/RangeChecks.swift",
            "limit = 100"
        ),
        Figure(
            "warnings of a kind that are shown of a zone",
            "50",
            "Control/Lint/Lint.swift",
            "limit = 50"
        ),
        Figure(
            "objects of an AWS export",
            "10,000, and one for each 40 octets",
            "Control/AWS/Export/JSONDensity.swift",
            "(valueSize, objectSize) = (8, 40)"
        ),
        Figure(
            "values of an AWS export",
            "10,000, and one for each 8 octets",
            "Control/AWS/Export/JSONDensity.swift",
            "small = 10_000"
        ),
    ]
}

@Suite struct `The limits of the reference` {
    private static let page = "docs/reference/limits.md"

    @Test func `are those of the code`() throws {
        let text = try Documentation.text(of: Self.page)
        for figure in Figure.all {
            #expect(text.contains("\n| \(figure.what) | \(figure.figure) |\n"), "\(figure.what)")
            let source = try Documentation.text(of: "Sources/\(figure.file)")
            #expect(source.contains(figure.code), "\(figure.what): \(figure.code)")
        }
    }

    @Test func `are all compared with the code`() throws {
        let sections = try Documentation.text(of: Self.page).split(separator: "\n## ")
        let rows = sections.filter { $0.contains("| what | figure |") }
            .flatMap { $0.split(separator: "\n").compactMap(DocumentRow.init) }
            .map { $0.cells[0] }.filter { $0 != "what" && !$0.hasPrefix("---") }
        #expect(Set(rows) == Set(Figure.all.map(\.what)))
    }
}
