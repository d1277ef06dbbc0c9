import DNSWire
import TestSupport
import Testing

/// Malformed and unusual messages, octet by octet, over UDP and TCP.
///
/// A valid query after each message shows that nothing else is affected.
@Suite(.packetServer) struct `Odd packets` {
    @Test(arguments: PacketFixture.names(ofAttack: 40))
    func `attack 40: a malformed message gets its ID and an rcode, or nothing`(name: String) throws
    {
        try PacketTests.send(name)
    }

    @Test(arguments: PacketFixture.names(ofAttack: 41))
    func `attack 41: a response is not answered`(name: String) throws {
        try PacketTests.send(name)
    }

    @Test(arguments: PacketFixture.names(ofAttack: 44))
    func `attack 44: no compression pointer of a client is followed`(name: String) throws {
        try PacketTests.send(name)
    }

    @Test(arguments: PacketFixture.names(ofAttack: 45))
    func `attack 45: counts that promise more than there is are FORMERR`(name: String) throws {
        try PacketTests.send(name)
    }

    @Test(arguments: PacketFixture.names(ofAttack: 46))
    func `attack 46: anything but one question is FORMERR, unless a cookie is all that is wanted`(
        name: String
    ) throws {
        try PacketTests.send(name)
    }

    @Test(arguments: PacketFixture.names(ofAttack: 47))
    func `attack 47: other opcodes are NOTIMP with their question, UPDATE is REFUSED`(
        name: String
    ) throws {
        try PacketTests.send(name)
    }

    @Test(arguments: PacketFixture.names(ofAttack: 48))
    func `attack 48: classes other than IN are REFUSED`(name: String) throws {
        try PacketTests.send(name)
    }

    @Test(arguments: PacketFixture.names(ofAttack: 49))
    func `attack 49: types that no record has are not looked up`(name: String) throws {
        try PacketTests.send(name)
    }

    @Test(arguments: PacketFixture.names(ofAttack: 50))
    func `attack 50: a later EDNS version is BADVERS, whatever else is asked`(name: String) throws {
        try PacketTests.send(name)
    }

    @Test(arguments: PacketFixture.names(ofAttack: 51))
    func `attack 51: options without end make no reply longer`(name: String) throws {
        try PacketTests.send(name)
    }

    @Test func `attack 51: 16,000 options over TCP are stepped over`() throws {
        let options = [UInt8](repeating: 0, count: 64_000)
        var message = PacketTests.good
        message[11] = 1
        message += Answer.record(owner: [0], .opt, ttl: 0, options)
        let connection = try PacketTests.connect()
        connection.send(StreamSocket.framed(message))
        let reply = try #require(connection.receive())
        #expect(ReplySummary.text(of: reply, to: message) == "NOERROR question answer OPT")
        #expect(reply.count < 100)
    }

    @Test(arguments: PacketFixture.names(ofAttack: 52))
    func `attack 52: an odd payload size is taken for the next that makes sense`(
        name: String
    ) throws {
        try PacketTests.send(name)
    }

    @Test(arguments: PacketFixture.names(ofAttack: 54))
    func `attack 54: a TSIG record is nobody's signature, whatever is in it`(name: String) throws {
        try PacketTests.send(name)
    }

    @Test func `there are fixtures for each`() {
        for attack in [40, 41, 44, 45, 46, 47, 48, 49, 50, 51, 52, 54] {
            #expect(PacketFixture.names(ofAttack: attack).count >= 3, "\(attack)")
        }
    }
}

/// How a fixture is sent, and the expected result.
enum PacketTests {
    @TaskLocal static var server: ZonalServer?
    private static let client = "127.20.1.7"
    /// A query that is always answered.
    static let good = QueryMessage.of("db.internal.example", id: 0x600D)
    private static let goodAnswer = "NOERROR question answer"

    fileprivate static func makeServer() throws -> ZonalServer {
        try ZonalServer.withVPC(
            """
            forward: [{ zone: ".", to: [127.0.0.1:9] }]
            """
        )
    }

    private static func port() throws -> UInt16 { try #require(server).port }

    static func connect() throws -> StreamSocket {
        try StreamSocket(from: client, to: port())
    }

    static func send(_ name: String) throws {
        let fixture = try PacketFixture(name)
        try sendAsDatagram(fixture)
        try sendOverStream(fixture)
    }

    /// Replies of one worker's socket are in order, so the reply to the next query proves silence.
    private static func sendAsDatagram(_ fixture: PacketFixture) throws {
        let socket = try BoundSocket(kind: .datagram, address: client)
        let peer = BoundSocket.name("127.0.0.1", try port())
        socket.send(fixture.octets, to: peer)
        if let expected = fixture.expected {
            let reply = try #require(socket.receive()?.octets)
            #expect(ReplySummary.text(of: reply, to: fixture.octets) == expected)
            #expect(reply.count <= 512)
        }
        socket.send(good, to: peer)
        let reply = try #require(socket.receive()?.octets)
        #expect(ReplySummary.text(of: reply, to: good) == goodAnswer)
    }

    private static func sendOverStream(_ fixture: PacketFixture) throws {
        let connection = try connect()
        connection.send(StreamSocket.framed(fixture.octets))
        if let expected = fixture.expected {
            let reply = try #require(connection.receive())
            #expect(ReplySummary.text(of: reply, to: fixture.octets) == expected)
        } else {
            #expect(connection.receive() == nil, "what needs no reply ends the connection")
        }
        let next = fixture.expected == nil ? try connect() : connection
        next.send(StreamSocket.framed(good))
        let reply = try #require(next.receive())
        #expect(ReplySummary.text(of: reply, to: good) == goodAnswer)
    }
}

extension SuiteTrait where Self == SharedWorld<ZonalServer> {
    /// One server for all packets, so that damage by one shows with the next.
    fileprivate static var packetServer: Self {
        SharedWorld(PacketTests.$server, PacketTests.makeServer)
    }
}
