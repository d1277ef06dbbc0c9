import DNSWire

/// Realms by VPC endpoint ID, searched by bisection.
struct EndpointTable: Sendable, BitwiseCopyable {
    private let identifiers: FrozenArray<EndpointID>
    private let realms: FrozenArray<Int>

    init(_ realmOfEndpoint: [EndpointID: Int]) {
        let sorted = realmOfEndpoint.sorted { $0.key < $1.key }
        identifiers = FrozenArray(sorted.map(\.key))
        realms = FrozenArray(sorted.map(\.value))
    }

    func deallocate() {
        identifiers.deallocate()
        realms.deallocate()
    }

    subscript(identifier: EndpointID) -> Int? {
        var low = 0
        var high = identifiers.count
        while low < high {
            let middle = (low + high) / 2
            if identifiers[middle] < identifier { low = middle + 1 } else { high = middle }
        }
        return low < identifiers.count && identifiers[low] == identifier ? realms[low] : nil
    }
}
