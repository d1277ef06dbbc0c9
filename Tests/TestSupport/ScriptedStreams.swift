import Foundation
import Glibc

/// The TCP side of an upstream that answers as a test says.
package final class ScriptedStreams: Sendable {
    private let listener: BoundSocket

    /// What is done about one query.
    package enum Reaction: Sendable {
        case answer([UInt8])
        /// The answer, an octet at a time, with a pause after each, until the other side hangs up.
        case drip([UInt8], milliseconds: Int32)
    }

    /// Listens on the port of `upstream`, and reacts to each query as `reactions` says; connections don't wait for
    /// each other.
    package init(
        of upstream: ScriptedUpstream,
        _ reactions: @escaping @Sendable ([UInt8]) -> Reaction
    ) throws {
        listener = upstream.stream
        try listener.listen()
        Thread.detachNewThread { [listener] in
            while let connection = StreamSocket(acceptedBy: listener) {
                Thread.detachNewThread { Self.serve(connection, reactions) }
            }
        }
    }

    deinit { _ = shutdown(listener.descriptor, Int32(SHUT_RDWR)) }

    private static func serve(
        _ connection: StreamSocket,
        _ reactions: @Sendable ([UInt8]) -> Reaction
    ) {
        while let query = connection.receive() {
            switch reactions(query) {
            case .answer(let message):
                connection.send(StreamSocket.framed(message))
            case .drip(let message, let pause):
                for octet in StreamSocket.framed(message) {
                    guard connection.send([octet]), !connection.isClosed(within: pause) else {
                        return
                    }
                }
            }
        }
    }
}
