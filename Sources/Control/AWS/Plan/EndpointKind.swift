import Snapshot

extension Endpoint.Kind {
    /// Parses AWS's `VpcEndpointType`, case-insensitively; nil if unknown.
    init?(aws text: String) {
        switch text.lowercased() {
        case "interface": self = .interface
        case "gateway": self = .gateway
        case "gatewayloadbalancer": self = .gatewayLoadBalancer
        case "resource": self = .resource
        case "servicenetwork": self = .serviceNetwork
        default: return nil
        }
    }
}

extension Endpoint {
    /// Returns the public name whose traffic a gateway endpoint routes:
    /// `s3.us-east-1.amazonaws.com`.
    ///
    /// Gateway endpoints have no `DnsEntries`. They exist for S3, S3 Express and DynamoDB only.
    static func publicName(ofService service: String) -> String? {
        let parts = service.split(separator: ".")
        guard parts.count == 4, parts[0] == "com", parts[1] == "amazonaws" else { return nil }
        return "\(parts[3]).\(parts[2]).amazonaws.com"
    }
}
