import DNSWire
import Snapshot

/// Describes the VPC endpoints that relate to a name.
struct EndpointRemarks {
    private let world: World

    init(_ world: World) { self.world = world }

    /// Returns a sentence for each endpoint of the client's VPC that claims the name.
    func sentences(
        about name: DomainName,
        for client: ClientClass,
        isPrivate: Bool
    ) -> [String] {
        endpoints(of: name, for: client).compactMap { endpoint in
            let subject = "\(endpoint.id) (\(endpoint.service ?? endpoint.kind.rawValue))"
            guard Endpoint.isServed(endpoint.state) else {
                return "\(subject) claims the name, but its state is \(endpoint.state)"
            }
            if endpoint.kind == .gateway {
                return isPrivate ? nil : sentence(aboutGateway: endpoint, subject)
            }
            guard isPrivate else { return nil }
            let proof =
                endpoint.verification.map { "; verification of its private DNS name: \($0)" } ?? ""
            return "the endpoint is \(subject)\(proof)"
        }
    }

    /// Returns the gateway endpoint that routes the traffic to a public name.
    func gateway(of name: DomainName, for client: ClientClass) -> Endpoint? {
        endpoints(of: name, for: client).first {
            $0.kind == .gateway && Endpoint.isServed($0.state)
        }
    }

    private func endpoints(of name: DomainName, for client: ClientClass) -> [Endpoint] {
        guard let vpc = client.vpc else { return [] }
        return world.endpoints.filter { endpoint in
            endpoint.vpc == vpc && endpoint.names.contains { name.isInside($0.withoutWildcard) }
        }
    }

    private func sentence(aboutGateway endpoint: Endpoint, _ subject: String) -> String {
        let list = endpoint.prefixList.map { "prefix list \($0)" } ?? "its prefix list"
        let tables =
            endpoint.routeTables.isEmpty
            ? "no route table" : "route tables " + endpoint.routeTables.joined(separator: ", ")
        return
            "GATEWAY: DNS stays public, and \(subject) routes traffic to \(list) through \(tables)"
    }

    /// Says whether the addresses that an upstream returned lie in the endpoint's prefix list.
    func sentence(about addresses: [IPAddress]?, through endpoint: Endpoint) -> String {
        let list = endpoint.prefixList ?? "the prefix list"
        guard !endpoint.prefixes.isEmpty else {
            return
                "it is unknown whether the forwarded answer lies in \(list): the export has no prefixes for it"
        }
        guard let addresses, !addresses.isEmpty else {
            return
                "it is unknown whether the forwarded answer lies in \(list): no upstream returned an address"
        }
        let outside = addresses.filter { address in
            !endpoint.prefixes.contains { $0.contains(address) }
        }
        let texts = addresses.map { "\($0)" }.joined(separator: ", ")
        return outside.isEmpty
            ? "the forwarded answer, \(texts), lies in \(list)"
            : "the forwarded answer, \(texts), is partly outside \(list): the gateway endpoint does not route the other addresses"
    }
}
