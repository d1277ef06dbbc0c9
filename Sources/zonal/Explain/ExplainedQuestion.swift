import DNSWire

/// A client, the listener that it queries, and its question.
struct ExplainedQuestion: Equatable {
    var name: DomainName
    var type: RecordType
    var client: IPAddress
    /// The ID of the VPC endpoint in the PROXY header.
    var endpoint: String?
    /// The address of the listener, with or without its port; nil for a listener without a VPC of
    /// its own.
    var listener: String?
}

/// Why a question cannot be explained.
struct ExplainFault: Error {
    var message: String
}
