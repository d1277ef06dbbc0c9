import DNSWire
import Glibc
import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import Server
import Upstream

@Suite(.timeLimit(.minutes(1))) struct `Asking upstreams over TCP` {
    let peer: StreamPeer
    let inbox: WorkerInbox
    let connections: UpstreamConnections

    init() throws {
        peer = try StreamPeer()
        inbox = try WorkerInbox()
        var limits = ConnectionLimits()
        limits.questionsPerConnection = 8
        limits.connectionsPerUpstream = 1
        limits.questions = 20
        connections = UpstreamConnections(on: MultiThreadedEventLoopGroup.singleton, limits: limits)
    }

    func ask(_ name: String, id: UInt16 = 1, token: Int = 1, timeout: UInt64 = 9000) {
        let message = StreamFixture.query(name, id: id)
        connections.ask(
            peer.upstream,
            message: message,
            for: AttemptID(token),
            timeout: timeout,
            telling: inbox
        )
    }

    /// Waits until the worker's inbox holds something and takes it, as token and result.
    func results(
        _ count: Int = 1
    ) throws -> [UInt64: Result<[UInt8], ConnectionError>] {
        var found: [UInt64: Result<[UInt8], ConnectionError>] = [:]
        while found.count < count {
            var item = pollfd(fd: inbox.descriptor, events: Int16(POLLIN), revents: 0)
            // Sound: one item, as said.
            try #require(unsafe poll(&item, 1, 10_000) == 1)
            for case .connectionAnswer(let token, let result) in inbox.takeAll() {
                found[UInt64(token.place)] = result
            }
        }
        return found
    }

    func response(to query: [UInt8]) -> [UInt8] {
        var response = query
        response[2] |= 0x80
        return response
    }

    func id(of message: [UInt8]?) -> [UInt8]? { message.map { Array($0.prefix(2)) } }

    @Test func `questions share a connection and take their answers in any order`() throws {
        ask("a.example.org", id: 7, token: 1)
        ask("b.example.org", id: 7, token: 2)
        let connection = try peer.accept()
        let first = try #require(try connection.receive())
        let second = try #require(try connection.receive())
        #expect(first.prefix(2) != second.prefix(2), "each has an ID of its own on the wire")
        try connection.send(messages: [response(to: second), response(to: first)])
        let results = try results(2)
        #expect(results[1] == .success(response(to: StreamFixture.query("a.example.org", id: 7))))
        #expect(results[2] == .success(response(to: StreamFixture.query("b.example.org", id: 7))))
    }

    @Test func `a later question reuses the connection`() throws {
        ask("a.example.org")
        let connection = try peer.accept()
        try connection.send(messages: [response(to: try #require(try connection.receive()))])
        _ = try results()
        ask("b.example.org", token: 2)
        try connection.send(messages: [response(to: try #require(try connection.receive()))])
        #expect(try results().keys.contains(2))
    }

    @Test func `a question lost with a connection that had worked is asked again`() throws {
        ask("a.example.org")
        var connection = try peer.accept()
        try connection.send(messages: [response(to: try #require(try connection.receive()))])
        _ = try results()
        ask("b.example.org", token: 2)
        _ = try connection.receive()
        connection = try peer.accept(afterClosing: &connection)
        try connection.send(messages: [response(to: try #require(try connection.receive()))])
        let expected = response(to: StreamFixture.query("b.example.org", id: 1))
        #expect(try results()[2] == .success(expected))
    }

    @Test func `an upstream that closes after each answer is asked everything in the end`() throws {
        for token in 1...8 { ask("n\(token).example.org", token: token) }
        var results: [UInt64: Result<[UInt8], ConnectionError>] = [:]
        while results.count < 8 {
            if try peer.isCalled(before: inbox.descriptor) {
                // Closing with unread queries is a reset, and the answer may be lost as well.
                let connection = try peer.accept()
                let query = try #require(try connection.receive())
                try connection.send(messages: [response(to: query)])
            }
            for case .connectionAnswer(let token, let result) in inbox.takeAll() {
                results[UInt64(token.place)] = result
            }
        }
        #expect(results.values.allSatisfy { (try? $0.get()) != nil }, "\(results)")
    }

    @Test func `an upstream that closes without a word is a failure`() throws {
        ask("a.example.org")
        do { _ = try peer.accept() }
        guard case .failure(.connection) = try results()[1] else {
            Issue.record("not a lost connection")
            return
        }
    }

    @Test func `an upstream that refuses is a failure with its reason`() throws {
        peer.stopListening()
        ask("a.example.org")
        #expect(try results()[1] == .failure(.connection(code: ECONNREFUSED)))
    }

    @Test func `silence is a timeout`() throws {
        ask("a.example.org", timeout: 30)
        #expect(try results()[1] == .failure(.timeout))
    }

    @Test func `an answer to another question is passed over`() throws {
        ask("a.example.org")
        let connection = try peer.accept()
        let query = try #require(try connection.receive())
        var other = response(to: StreamFixture.query("b.example.org", id: 0))
        other.replaceSubrange(0..<2, with: query.prefix(2))
        var stranger = response(to: query)
        stranger[0] ^= 1
        try connection.send(messages: [other, stranger, query, response(to: query)])
        let expected = response(to: StreamFixture.query("a.example.org", id: 1))
        #expect(try results()[1] == .success(expected))
    }

    @Test func `an answer cut over many segments is put together`() throws {
        ask("a.example.org")
        let connection = try peer.accept()
        let query = try #require(try connection.receive())
        let large = response(to: query) + [UInt8](repeating: 0, count: 60_000)
        for octet in StreamClient.framed(large).prefix(40) { try connection.send([octet]) }
        try connection.send(Array(StreamClient.framed(large).dropFirst(40)))
        guard case .success(let answer) = try results()[1] else {
            Issue.record("no answer")
            return
        }
        #expect(answer.count == large.count)
    }

    @Test func `a length that no message has ends the connection`() throws {
        ask("a.example.org")
        let connection = try peer.accept()
        try connection.send([0, 3, 1, 2, 3])
        guard case .failure(.connection) = try results()[1] else {
            Issue.record("not a lost connection")
            return
        }
    }

    @Test func `more questions than the limits allow fail at once`() throws {
        for token in 1...9 { ask("a.example.org", token: token) }
        #expect(try results() == [9: .failure(.overloaded)])
    }

    @Test func `what is no query is not sent`() throws {
        connections.ask(
            peer.upstream,
            message: [1, 2, 3],
            for: AttemptID(5),
            timeout: 1000,
            telling: inbox
        )
        #expect(try results()[5] == .failure(.unsupported))
    }
}

extension StreamPeer {
    /// Closes the connection, then accepts the next.
    fileprivate func accept(afterClosing connection: inout StreamClient) throws -> StreamClient {
        connection.endSending()
        return try accept()
    }
}
