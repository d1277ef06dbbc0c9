/// A proxy that sends a header for the client with every query.
package struct ProxiedClient {
    private let port: UInt16
    /// The proxy's loopback address.
    private let source: String

    package init(port: UInt16, from source: String = "127.0.0.1") {
        self.port = port
        self.source = source
    }

    /// Sends a header and a query in one datagram; the reply, or nil after ten seconds.
    package func ask(_ header: [UInt8], _ query: [UInt8]) throws -> [UInt8]? {
        let socket = try BoundSocket(kind: .datagram, address: source)
        socket.send(header + query, to: BoundSocket.name("127.0.0.1", port))
        return socket.receive()?.octets
    }

    /// The first reply to the datagrams, some of which are not answered.
    package func firstReply(to datagrams: [[UInt8]]) throws -> [UInt8]? {
        let socket = try BoundSocket(kind: .datagram, address: source)
        for datagram in datagrams { socket.send(datagram, to: BoundSocket.name("127.0.0.1", port)) }
        return socket.receive()?.octets
    }

    /// Connects, sends a header and a query in one segment; the reply, or nil if the connection is closed.
    package func askStream(_ header: [UInt8], _ query: [UInt8]) throws -> [UInt8]? {
        let client = try StreamClient(port: port, from: source)
        try client.send(header + StreamClient.framed(query))
        return try client.receive()
    }
}
