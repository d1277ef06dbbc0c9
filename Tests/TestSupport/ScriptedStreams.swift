import Foundation
import Glibc

/// The TCP side of an upstream with scripted answers.
package final class ScriptedStreams: Sendable {
    private let listener: BoundSocket

    /// The reaction to one query.
    package enum Reaction: Sendable {
        case answer([UInt8])
        /// The answer, one octet at a time with a pause after each, until the server closes the
        /// connection.
        case drip([UInt8], milliseconds: Int32)
    }

    /// Listens on the port of `upstream` and reacts to each query as `reactions` says.
    ///
    /// Connections are independent of each other.
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
