import DNSWire
import Snapshot

/// What is known of the VPC endpoints that have to do with a name.
struct EndpointRemarks {
    private let world: World

    init(_ world: World) { self.world = world }

    /// A sentence for each endpoint of the client's VPC that has to do with the name's answer.
    func sentences(
        about name: DomainName,
        for client: ClientClass,
        isPrivate: Bool
    ) -> [String] {
        endpoints(of: name, for: client).compactMap { endpoint in
            let subject = "\(endpoint.id) (\(endpoint.service ?? endpoint.kind.rawValue))"
            guard Endpoint.isServed(endpoint.state) else {
                return "\(subject) would have the name, but it is \(endpoint.state)"
            }
            if endpoint.kind == .gateway {
                return isPrivate ? nil : sentence(aboutGateway: endpoint, subject)
            }
            guard isPrivate else { return nil }
            let proof = endpoint.verification.map { "; the proof of its private name: \($0)" } ?? ""
            return "the endpoint is \(subject)\(proof)"
        }
    }

    /// The gateway endpoint that takes the traffic to a name of public DNS.
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
        return "GATEWAY: DNS stays public, and \(subject) takes the traffic to \(list) by \(tables)"
    }

    /// Whether what an upstream answered is routed to the gateway endpoint.
    func sentence(about addresses: [IPAddress]?, through endpoint: Endpoint) -> String {
        let list = endpoint.prefixList ?? "the prefix list"
        guard !endpoint.prefixes.isEmpty else {
            return
                "whether the forwarded answer lies in \(list) is not known: its prefixes are not exported"
        }
        guard let addresses, !addresses.isEmpty else {
            return
                "whether the forwarded answer lies in \(list) is not known: no upstream answers with addresses"
        }
        let outside = addresses.filter { address in
            !endpoint.prefixes.contains { $0.contains(address) }
        }
        let texts = addresses.map { "\($0)" }.joined(separator: ", ")
        return outside.isEmpty
            ? "the forwarded answer, \(texts), lies in \(list)"
            : "the forwarded answer, \(texts), does not all lie in \(list): the gateway endpoint does not take the rest"
    }
}
