import DNSWire

/// Who may send what to each listener.
struct ProxyTable: Sendable, BitwiseCopyable {
    /// One map for each listener that takes PROXY headers: 1 for who has to send them, else 0.
    private let maps: FrozenArray<AddressMap>
    /// The map of each listener; -1 for none.
    private let mapOfListener: FrozenArray<Int>

    init(_ listeners: [ListenerScope]) {
        var maps: [AddressMap] = []
        mapOfListener = FrozenArray(
            listeners.map { listener in
                guard let proxies = listener.proxies else { return -1 }
                let entries = Set(proxies).map { (prefix: $0, value: UInt32(1)) }
                maps.append(AddressMap(entries, otherwise: 0))
                return maps.count - 1
            }
        )
        self.maps = FrozenArray(maps)
    }

    func deallocate() {
        for index in 0..<maps.count { maps[index].deallocate() }
        maps.deallocate()
        mapOfListener.deallocate()
    }

    func sender(_ address: IPAddress, listener: Int) -> SenderKind {
        guard listener >= 0, listener < mapOfListener.count else { return .client }
        let map = mapOfListener[listener]
        guard map >= 0 else { return .client }
        return maps[map].value(for: address) == 1 ? .proxy : .stranger
    }
}

/// As what somebody who sends to a listener is heard.
public enum SenderKind: Sendable, BitwiseCopyable {
    /// It speaks for itself, and a PROXY header would be no DNS message.
    case client
    /// A PROXY header has to stand in front of what it sends.
    case proxy
    /// Not at all: the listener is for proxies, and this is none.
    case stranger
}
