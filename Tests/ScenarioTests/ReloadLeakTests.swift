import DNSWire
import Foundation
import Synchronization
import TestSupport
import Testing

/// Reloads everything that affects a client's class, while four kinds of clients query over UDP and
/// TCP.
@Suite(.timeLimit(.minutes(5))) struct `Leaks at reloads` {
    /// The number of reloads, and of queries of all clients together.
    private static let (reloads, questions) = (40, 10_000)

    @Test func `nobody gets what neither the old nor the new configuration gives him`() throws {
        var random = SeededGenerator(seed: 13)
        let upstream = try HeldUpstream()
        let worlds = (0...Self.reloads).map { _ in ReloadWorld(using: &random) }
        let server = try ZonalServer(
            worlds[0].text(upstream: upstream.port),
            files: ReloadWorld.files,
            listen: []
        )
        let course = ReloadCourse(worlds)
        let askers = ReloadWorld.clients.flatMap { client in
            [Asker.Transport.datagram, .stream].map {
                Asker(client, $0, ports: server.ports, course, share: Self.questions / 8)
            }
        }
        for asker in askers { asker.start() }
        for number in 1...Self.reloads {
            // Spread the queries over the time of the reloads.
            course.waitForQuestions(Self.questions * number / (Self.reloads + 2))
            course.begin(number)
            let text = worlds[number].text(upstream: upstream.port)
            try server.folder.write(text + "\ncontrol: control\n", to: "zonal.yaml")
            #expect(try server.reload().contains("reloaded"))
            course.end(number)
            upstream.release()
        }
        course.finish(releasing: upstream)
        for asker in askers { asker.wait() }
        #expect(course.leaks.isEmpty, "\(course.leaks.prefix(5))")
        // Without this, the test would pass even if no query were answered.
        #expect(course.privateAnswers > Self.questions / 50, "\(course.privateAnswers)")
        #expect(course.askedCount >= Self.questions)
    }
}

/// One configuration of two listeners, two VPCs and two zones.
struct ReloadWorld: Sendable {
    enum Listener: CaseIterable { case plain, vpcA, vpcB, vpcAFromOutside, proxied, absent }

    /// A client address, which a range may contain.
    struct Client: Sendable, Equatable {
        var address: String
        var isProxy = false
    }

    static let clients = [
        Client(address: "127.20.1.7"), Client(address: "127.30.1.7"),
        Client(address: "127.99.0.7"), Client(address: "127.88.0.7", isProxy: true),
    ]
    /// The client in the PROXY header.
    static let proxied = "127.20.1.8"

    private var listeners: [Listener]
    /// True if the VPCs have each other's range.
    private var areSwapped: Bool
    private var isOutsideAllowed: Bool
    /// The VPCs that see a.example; b.example always belongs to vpc-b.
    private var viewersOfA: [String]

    init(using random: inout SeededGenerator) {
        // The first listener always exists: a configuration without listeners is an error.
        let first = Listener.allCases.dropLast().randomElement(using: &random) ?? .plain
        listeners = [first, Listener.allCases.randomElement(using: &random) ?? .plain]
        areSwapped = Bool.random(using: &random)
        isOutsideAllowed = Bool.random(using: &random)
        viewersOfA = [["a"], ["b"], ["a", "b"]].randomElement(using: &random) ?? []
    }

    static let files = [
        "a.example.zone": "$TTL 60\n@ SOA ns h 1 1h 15m 1w 60\nwww A 127.20.9.9\n",
        "b.example.zone": "$TTL 60\n@ SOA ns h 1 1h 15m 1w 60\nwww A 127.30.9.9\n",
    ]
    static let addresses: [(zone: String, octets: [UInt8])] = [
        ("a", [127, 20, 9, 9]), ("b", [127, 30, 9, 9]),
    ]

    func text(upstream: UInt16) -> String {
        let ranges = areSwapped ? ["127.30", "127.20"] : ["127.20", "127.30"]
        return """
            listen: [\(listeners.compactMap(Self.text).joined(separator: ", "))]
            clients: { allow: [\(isOutsideAllowed ? "127.99.0.0/16" : "")] }
            forward: [{ zone: ".", to: ["127.0.0.1:\(upstream)"] }]
            accounts: [{ id: "111122223333", availability-zones: { us-east-1a: use1-az4 } }]
            vpcs:
              - { id: vpc-a, account: "111122223333", ranges: [\(ranges[0]).0.0/16] }
              - { id: vpc-b, account: "111122223333", ranges: [\(ranges[1]).0.0/16] }
            zones:
              - { file: a.example.zone, vpcs: [\(viewersOfA.map { "vpc-\($0)" }.joined(separator: ", "))] }
              - { file: b.example.zone, vpcs: [vpc-b] }
            """
    }

    private static func text(_ listener: Listener) -> String? {
        let keys: String? =
            switch listener {
            case .plain: ""
            case .vpcA: ", vpc: vpc-a"
            case .vpcB: ", vpc: vpc-b"
            case .vpcAFromOutside: ", vpc: vpc-a, from: [127.99.0.0/16]"
            case .proxied: ", proxy-protocol: [127.88.0.0/16]"
            case .absent: nil
            }
        return keys.map { "{ address: \"127.0.0.1:0\"\($0) }" }
    }

    /// Returns the VPC of a client at a listener, according to the documented rules.
    func vpc(of client: Client, listener: Int) -> String? {
        let source: String
        switch (listeners[listener], client.isProxy) {
        case (.absent, _): return nil
        case (.proxied, false): return nil
        case (.proxied, true): source = Self.proxied
        case (_, true): return nil
        case (_, false): source = client.address
        }
        if source.hasPrefix("127.20.") { return areSwapped ? "b" : "a" }
        if source.hasPrefix("127.30.") { return areSwapped ? "a" : "b" }
        let isAdded = listeners[listener] == .vpcAFromOutside && source.hasPrefix("127.99.")
        return isAdded ? "a" : nil
    }

    func takesHeaders(_ listener: Int) -> Bool { listeners[listener] == .proxied }

    /// Returns true if clients in a VPC see a zone.
    func sees(_ zone: String, vpc: String) -> Bool {
        zone == "a" ? viewersOfA.contains(vpc) : vpc == "b"
    }

    /// A client behind a proxy sends headers where the proxy was once allowed.
    static let header = ProxiedMessage.header(from: proxied)
}

/// The configurations that may have been in force for a query, and the results of all queries.
final class ReloadCourse: Sendable {
    private let worlds: [ReloadWorld]
    private let state = Mutex(State())
    private let progress = DispatchSemaphore(value: 0)

    private struct State {
        /// The last reload that has begun, and the last one that has ended.
        var begun = 0
        var ended = 0
        var asked = 0
        var privateAnswers = 0
        var leaks: [String] = []
        var isOver = false
    }

    init(_ worlds: [ReloadWorld]) { self.worlds = worlds }

    func begin(_ number: Int) { state.withLock { $0.begun = number } }
    func end(_ number: Int) { state.withLock { $0.ended = number } }

    var leaks: [String] { state.withLock { $0.leaks } }
    var privateAnswers: Int { state.withLock { $0.privateAnswers } }
    var askedCount: Int { state.withLock { $0.asked } }
    var isOver: Bool { state.withLock { $0.isOver } }

    /// Records a query; returns the configurations that may be in force when it arrives.
    func ask() -> ClosedRange<Int> {
        progress.signal()
        return state.withLock {
            $0.asked += 1
            return $0.ended...$0.begun
        }
    }

    /// Returns true if a listener accepts headers now.
    func takesHeaders(_ listener: Int) -> Bool {
        worlds[state.withLock { $0.ended }].takesHeaders(listener)
    }

    func waitForQuestions(_ count: Int) {
        while askedCount < count { progress.wait() }
    }

    /// Releases delayed answers until all clients are done.
    func finish(releasing upstream: HeldUpstream) {
        state.withLock { $0.isOver = true }
        upstream.holdNothingMore()
    }

    /// Checks the reply to a query that arrived while one of `arrival` was in force.
    func judge(
        _ reply: [UInt8],
        to client: ReloadWorld.Client,
        listener: Int,
        since arrival: ClosedRange<Int>
    ) {
        state.withLock { state in
            for (zone, octets) in ReloadWorld.addresses where Self.holds(reply, octets) {
                state.privateAnswers += 1
                let isRight = arrival.contains { arrival in
                    (arrival...state.begun).contains {
                        mayHave(zone, client, listener, arrival: arrival, answer: $0)
                    }
                }
                guard !isRight else { continue }
                state.leaks.append(
                    "\(client.address) at listener \(listener), \(arrival) to \(state.begun): \(zone)"
                )
            }
        }
    }

    /// A query may be answered with any configuration in force since its arrival in which its
    /// client is in the same VPC as then.
    private func mayHave(
        _ zone: String,
        _ client: ReloadWorld.Client,
        _ listener: Int,
        arrival: Int,
        answer: Int
    ) -> Bool {
        guard let vpc = worlds[arrival].vpc(of: client, listener: listener),
            vpc == worlds[answer].vpc(of: client, listener: listener)
        else { return false }
        return worlds[answer].sees(zone, vpc: vpc)
    }

    private static func holds(_ message: [UInt8], _ address: [UInt8]) -> Bool {
        guard message.count > 16 else { return false }
        return (12...message.count - 4).contains { Array(message[$0..<$0 + 4]) == address }
    }
}

/// One client that queries over one transport, at both listeners in turn.
private final class Asker: Sendable {
    enum Transport { case datagram, stream }

    private let client: ReloadWorld.Client
    private let transport: Transport
    private let ports: [UInt16]
    private let course: ReloadCourse
    private let share: Int
    private let done = DispatchSemaphore(value: 0)

    init(
        _ client: ReloadWorld.Client,
        _ transport: Transport,
        ports: [UInt16],
        _ course: ReloadCourse,
        share: Int
    ) {
        (self.client, self.transport, self.ports) = (client, transport, ports)
        (self.course, self.share) = (course, share)
    }

    func start() {
        Thread.detachNewThread { [self] in
            switch transport {
            case .datagram: askByDatagrams()
            case .stream: askByStreams()
            }
            done.signal()
        }
    }

    func wait() { done.wait() }

    private static let names = [
        "www.a.example", "www.b.example", "leak.example.org", "alias.example.org",
        "slow.example.org", "www.a.example", "www.b.example", "slowalias.example.org",
    ]

    private func query(_ number: Int) -> [UInt8] {
        let name = Self.names[number % Self.names.count]
        // Each client has its own names at the upstream, so that not everything is answered from
        // the cache.
        let isPublic = name.hasSuffix(".org")
        let prefix = isPublic ? "n\(number)-\(client.address.split(separator: ".")[1])." : ""
        return QueryMessage.of(prefix + name, id: UInt16(truncatingIfNeeded: number))
    }

    /// The proxy sends headers most of the time, as if it learned of changes late.
    private func front(_ number: Int) -> [UInt8] {
        client.isProxy && number % 3 != 0 ? ReloadWorld.header : []
    }

    private func askByDatagrams() {
        guard let socket = try? BoundSocket(kind: .datagram, address: client.address) else {
            return
        }
        var sent: [(listener: Int, since: ClosedRange<Int>)] = []
        while sent.count < share || !course.isOver {
            let number = sent.count
            // Twice two in a row, so that each name is queried at each listener.
            let listener = number / Self.names.count % 2
            sent.append((listener, course.ask()))
            let peer = BoundSocket.name("127.0.0.1", ports[min(listener, ports.count - 1)])
            socket.send(front(number) + query(number), to: peer)
            take(from: socket, sent, milliseconds: 1)
        }
        take(from: socket, sent, milliseconds: 200)
    }

    private func take(
        from socket: BoundSocket,
        _ sent: [(listener: Int, since: ClosedRange<Int>)],
        milliseconds: Int32
    ) {
        while socket.awaitDatagram(milliseconds: milliseconds), let (reply, _) = socket.receive() {
            guard reply.count > 12 else { continue }
            // An ID stands for all queries that had it; the first of them had the most
            // configurations.
            let id = Int(reply[0]) << 8 | Int(reply[1])
            guard id < sent.count else { continue }
            let (listener, since) = sent[id]
            course.judge(reply, to: client, listener: listener, since: since)
        }
    }

    private func askByStreams() {
        var connections: [StreamClient?] = [nil, nil]
        var number = 0
        while number < share || !course.isOver {
            let listener = number / Self.names.count % 2
            let port = ports[min(listener, ports.count - 1)]
            let since = course.ask()
            let isNew = connections[listener] == nil
            let connection =
                connections[listener] ?? (try? StreamClient(port: port, from: client.address))
            connections[listener] = connection
            // A listener without headers would read a header as the beginning of a long message.
            let opening = isNew && course.takesHeaders(listener) ? front(1) : []
            number += 1
            guard let connection,
                (try? connection.send(opening + StreamClient.framed(query(number)))) != nil,
                let reply = try? connection.receive()
            else {
                connections[listener] = nil
                continue
            }
            course.judge(reply, to: client, listener: listener, since: since)
        }
    }
}

/// An upstream that delays answers for names with `slow` until it is told to send them.
///
/// Names with `leak` have a private address, and names with `alias` are aliases of a private name.
final class HeldUpstream: Sendable {
    private let socket: BoundSocket
    private let stream: BoundSocket
    private let held = Mutex<(queries: [[UInt8]], peers: [UInt16])?>(([], []))

    var port: UInt16 { socket.port }

    init() throws {
        (socket, stream) = try BoundSocket.pair()
        Thread.detachNewThread { [weak self, socket] in
            while let self {
                guard let (query, peer) = socket.receive(), query.count > 12 else { continue }
                self.take(query, from: UInt16(bigEndian: peer.sin_port))
            }
        }
    }

    private func take(_ query: [UInt8], from port: UInt16) {
        let isHeld =
            Self.has("slow", query)
            && held.withLock { held in
                held?.queries.append(query)
                held?.peers.append(port)
                return held != nil
            }
        if !isHeld { answer(query, to: port) }
    }

    /// Sends the delayed answers.
    func release() {
        let (queries, peers) = held.withLock { held in
            defer { if held != nil { held = ([], []) } }
            return held ?? ([], [])
        }
        for (query, peer) in zip(queries, peers) { answer(query, to: peer) }
    }

    func holdNothingMore() {
        release()
        let rest = held.withLock { held in
            defer { held = nil }
            return held
        }
        for (query, peer) in zip(rest?.queries ?? [], rest?.peers ?? []) { answer(query, to: peer) }
    }

    private func answer(_ query: [UInt8], to port: UInt16) {
        let peer = BoundSocket.name("127.0.0.1", port)
        guard !QueryMessage.isLoopProbe(query) else {
            return socket.send(Answer.head(of: query, rcode: 3), to: peer)
        }
        if Self.has("alias", query) {
            let target = DomainName("www.a.example")?.octets ?? []
            let alias = Answer.record(.cname, ttl: 0, target)
            socket.send(Answer.head(of: query, answers: 1) + alias, to: peer)
        } else {
            let isLeak = Self.has("leak", query)
            socket.send(
                Answer.address(query, isLeak ? [127, 20, 9, 9] : [198, 51, 100, 80]),
                to: peer
            )
        }
    }

    /// The server uses random letter case.
    private static func has(_ word: String, _ query: [UInt8]) -> Bool {
        String(decoding: query.map(DomainName.fold), as: UTF8.self).contains(word)
    }
}
