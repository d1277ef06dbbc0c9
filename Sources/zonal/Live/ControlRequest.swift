import DNSWire

/// What a command asks a running server; one line, its words separated by spaces.
enum ControlRequest: Equatable {
    case status(OutputFormat)
    case reload
    /// Everything at and below a name.
    case flush(DomainName)
    case explain(
        DomainName,
        RecordType,
        from: IPAddress,
        endpoint: String?,
        OutputFormat
    )

    var line: String {
        switch self {
        case .status(let format): "status \(format.rawValue)"
        case .reload: "reload"
        case .flush(let name): "flush \(name)"
        case .explain(let name, let type, let address, let endpoint, let format):
            "explain \(format.rawValue) \(address) \(endpoint ?? "-") \(name) \(type)"
        }
    }

    /// Nil if the line is no request.
    init?(reading line: String) {
        let words = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        switch (words.first, words.count) {
        case ("status", 2):
            guard let format = OutputFormat(rawValue: words[1]) else { return nil }
            self = .status(format)
        case ("reload", 1): self = .reload
        case ("flush", 2):
            guard let name = DomainName(words[1]) else { return nil }
            self = .flush(name)
        case ("explain", 6):
            guard let format = OutputFormat(rawValue: words[1]), let address = IPAddress(words[2]),
                let name = DomainName(words[4]), let type = RecordType(words[5])
            else { return nil }
            let endpoint = words[3] == "-" ? nil : words[3]
            self = .explain(name, type, from: address, endpoint: endpoint, format)
        default: return nil
        }
    }
}
