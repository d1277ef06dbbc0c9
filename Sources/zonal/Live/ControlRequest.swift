import DNSWire

/// A request to a running server: one line of words separated by spaces.
enum ControlRequest: Equatable {
    case status(OutputFormat)
    case reload
    /// Flushes a name and everything below it.
    case flush(DomainName)
    case explain(ExplainedQuestion, OutputFormat)

    var line: String {
        switch self {
        case .status(let format): "status \(format.rawValue)"
        case .reload: "reload"
        case .flush(let name): "flush \(name)"
        case .explain(let question, let format):
            "explain \(format.rawValue) \(question.client) \(question.endpoint ?? "-") "
                + "\(question.name) \(question.type)"
                + (question.listener.map { " \($0)" } ?? "")
        }
    }

    /// Parses a request; nil if the line is not one.
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
        case ("explain", 6), ("explain", 7):
            guard let format = OutputFormat(rawValue: words[1]), let address = IPAddress(words[2]),
                let name = DomainName(words[4]), let type = RecordType(words[5])
            else { return nil }
            self = .explain(
                ExplainedQuestion(
                    name: name,
                    type: type,
                    client: address,
                    endpoint: words[3] == "-" ? nil : words[3],
                    listener: words.count > 6 ? words[6] : nil
                ),
                format
            )
        default: return nil
        }
    }
}
