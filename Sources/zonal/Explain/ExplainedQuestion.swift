import DNSWire

/// Who asks what, and where.
struct ExplainedQuestion: Equatable {
    var name: DomainName
    var type: RecordType
    var client: IPAddress
    /// The VPC endpoint that a PROXY header names.
    var endpoint: String?
    /// The address of a listener, with or without its port; nil for one that says nothing of its clients.
    var listener: String?
}

/// Why a question cannot be explained.
struct ExplainFault: Error {
    var message: String
}
