import FoundationEssentials

package import DNSWire

/// A question that some client asked once.
package struct RecordedQuery: Hashable, Sendable {
    package var client: IPAddress
    package var name: DomainName
    package var type: RecordType

    package init(client: IPAddress, name: DomainName, type: RecordType) {
        (self.client, self.name, self.type) = (client, name, type)
    }

    /// Reads a list of queries: `ADDRESS NAME [TYPE]` a line, `#` for comments, or query-log lines as
    /// Route 53 Resolver writes them.
    package static func read(path: String, diagnostics: inout Diagnostics) -> [RecordedQuery] {
        let octets: [UInt8]
        do {
            octets = try DiskFileLoader().octets(of: path)
        } catch {
            diagnostics.error(at: SourcePlace(file: path), "\(error); name a file that can be read")
            return []
        }
        guard !SecretText.isConfiguration(octets) else {
            diagnostics.error(
                at: SourcePlace(file: path),
                "is a configuration file with secrets; name a list of queries"
            )
            return []
        }
        var queries: [RecordedQuery] = []
        for (index, line) in octets.split(separator: .lineFeed, omittingEmptySubsequences: false)
            .enumerated()
        {
            let text = String(decoding: line, as: UTF8.self)
            guard let first = text.first(where: { !$0.isWhitespace }), first != "#" else {
                continue
            }
            let query = first == "{" ? Self(logLine: Array(line)) : Self(line: text)
            guard let query else {
                diagnostics.error(
                    at: SourcePlace(file: path, line: index + 1, column: 1),
                    "not a query; write ADDRESS NAME [TYPE], or a line of a query log",
                    excerpt: SecretText.redacted(line: text).shown
                )
                continue
            }
            queries.append(query)
        }
        return queries
    }

    private init?(line: String) {
        let fields = line.split(whereSeparator: \.isWhitespace)
        guard (2...3).contains(fields.count), let client = IPAddress(fields[0]),
            let name = DomainName(fields[1]),
            let type = fields.count == 3 ? RecordType(fields[2]) : .a
        else { return nil }
        self.init(client: client, name: name, type: type)
    }

    /// The members of a query log's line that matter.
    private struct LogLine: Decodable {
        var srcaddr: String
        var queryName: String
        var queryType: String

        enum CodingKeys: String, CodingKey {
            case srcaddr
            case queryName = "query_name"
            case queryType = "query_type"
        }
    }

    private init?(logLine: [UInt8]) {
        guard let line = try? JSONDecoder().decode(LogLine.self, from: Data(logLine)),
            let client = IPAddress(line.srcaddr), let name = DomainName(line.queryName),
            let type = RecordType(line.queryType)
        else { return nil }
        self.init(client: client, name: name, type: type)
    }
}
