/// The decision about a sender at a listener.
public enum Hearing: Sendable {
    /// The sender is ignored; no reply is sent.
    case ignored
    /// The sender is a proxy and must send a PROXY header first.
    case awaitsHeader
    /// The sender is a client of this class, which may be `refused`.
    case heard(ClientClass)

    /// The client's class; nil for other decisions.
    @inline(__always)
    public var asker: ClientClass? {
        if case .heard(let asker) = self { asker } else { nil }
    }
}
