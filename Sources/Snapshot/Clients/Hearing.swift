/// As what a sender is heard at a listener.
public enum Hearing: Sendable {
    /// Not at all: nothing is sent back.
    case ignored
    /// As a proxy, which has to send a PROXY header before anything else.
    case awaitsHeader
    /// As a client of this class, which may be `refused`.
    case heard(ClientClass)

    /// The client's class; nil for who is not heard as a client.
    @inline(__always)
    public var asker: ClientClass? {
        if case .heard(let asker) = self { asker } else { nil }
    }
}
