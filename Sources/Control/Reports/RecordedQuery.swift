import FoundationEssentials

package import DNSWire

/// A query that a client once sent.
package struct RecordedQuery: Hashable, Sendable {
    package var client: IPAddress
    package var name: DomainName
    package var type: RecordType

    package init(client: IPAddress, name: DomainName, type: RecordType) {
        (self.client, self.name, self.type) = (client, name, type)
    }

    /// Reads a list of queries.
    ///
    /// Each line is `ADDRESS NAME [TYPE]`, a comment that starts with `#`, or a query log line as
    /// Route 53 Resolver writes it.
    package static func read(path: String, diagnostics: inout Diagnostics) -> [RecordedQuery] {
        let octets: [UInt8]
        do {
            octets = try DiskFileLoader().octets(of: path)
        } catch {
            diagnostics.error(at: SourcePlace(file: path), "\(error); name a file that can be read")
            return []
        }
        var queries: [RecordedQuery] = []
        var faults = 0
        var rest = ByteOrderMark.stripped(from: octets)
        var number = 0
        while !rest.isEmpty {
            let line = rest.prefix { $0 != .lineFeed }
            rest = rest[min(line.endIndex + 1, rest.endIndex)...]
            number += 1
            guard let first = line.first(where: { !Self.isBlank($0) }), first != UInt8(ascii: "#")
            else { continue }
            let query = first == UInt8(ascii: "{") ? Self(logLine: line) : Self(line: line)
            if let query {
                queries.append(query)
                continue
            }
            faults += 1
            // Checked late, because this scan takes long for a large file.
            guard faults > 1 || !SecretText.isConfiguration(octets) else {
                diagnostics.error(
                    at: SourcePlace(file: path),
                    "is a configuration file with secrets; give a list of queries"
                )
                return []
            }
            guard faults <= faultLimit else { continue }
            diagnostics.error(
                at: SourcePlace(file: path, line: number, column: 1),
                "not a query; write ADDRESS NAME [TYPE], or a query log line",
                excerpt: excerpt(of: line)
            )
        }
        if faults > faultLimit {
            diagnostics.error(
                at: SourcePlace(file: path),
                "\(faults - faultLimit) more lines are not queries and are not shown; correct the shown ones and try again"
            )
        }
        return queries
    }

    /// Returns the line for a message, with secrets removed.
    private static func excerpt(of line: ArraySlice<UInt8>) -> String {
        let text = String(decoding: line.prefix(lineLimit), as: UTF8.self)
        return SecretText.redacted(line: text).shown
    }

    /// The maximum number of reported lines.
    private static let faultLimit = 100
    /// The maximum length of a query log line in octets; a JSON decoder needs several times the
    /// memory.
    private static let lineLimit = 65_536
    /// The minimum length of a query log line: its three required members.
    private static let shortestLine = 40

    private static func isBlank(_ octet: UInt8) -> Bool {
        octet == .space || octet == .tab || octet == .carriageReturn
    }

    private init?(line: ArraySlice<UInt8>) {
        // Splits off at most four fields: a fourth one is an error.
        let fields = line.prefix(Self.lineLimit).split(maxSplits: 3, whereSeparator: Self.isBlank)
            .map { String(decoding: $0, as: UTF8.self) }
        guard (2...3).contains(fields.count), let client = IPAddress(fields[0]),
            let name = DomainName(fields[1]),
            let type = fields.count == 3 ? RecordType(fields[2]) : .a
        else { return nil }
        self.init(client: client, name: name, type: type)
    }

    /// The used members of a query log line.
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

    private init?(logLine: ArraySlice<UInt8>) {
        guard (Self.shortestLine...Self.lineLimit).contains(logLine.count),
            let line = try? JSONDecoder().decode(LogLine.self, from: Data(logLine)),
            let client = IPAddress(line.srcaddr), let name = DomainName(line.queryName),
            let type = RecordType(line.queryType)
        else { return nil }
        self.init(client: client, name: name, type: type)
    }
}
