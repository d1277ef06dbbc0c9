import Control
import DNSWire

/// Reads the pipeline's reply to find the records that came from the cache.
struct ExplainedReply {
    let rcode: ResponseCode
    private var answers: [Record] = []
    /// The TTL of the SOA in the authority section of a negative answer.
    private var negativeTTL: UInt32?

    private struct Record {
        var name: DomainName
        var type: RecordType
        var ttl: UInt32
        var data: String

        func isSame(as known: Explanation.Record) -> Bool {
            type == known.type && name == known.name && data == known.data
        }
    }

    init(_ message: Span<UInt8>) {
        rcode = ResponseCode(rawValue: (message.bigEndian16(at: 2) ?? 0) & 0xF)
        guard var reader = try? MessageReader(message), reader.questionCount == 1,
            (try? reader.skipQuestion(of: message)) != nil
        else { return }
        while let record = try? reader.next(in: message) {
            if record.section == .answer, let owner = try? message.name(at: record.owner) {
                let data = ZonePrinter.rdataText(
                    type: record.type,
                    rdata: Self.rdata(of: record, in: message)
                )
                answers.append(Record(name: owner, type: record.type, ttl: record.ttl, data: data))
            } else if record.section == .authority, record.type == .soa {
                negativeTTL = negativeTTL ?? record.ttl
            }
        }
    }

    /// Returns the rdata with its names decompressed.
    private static func rdata(
        of record: MessageReader.Record,
        in message: Span<UInt8>
    ) -> [UInt8] {
        var whole: [UInt8] = []
        do throws(WireError) {
            try RdataShape.walk(
                record,
                in: message,
                copy: { for index in $0 { whole.append(message[index]) } },
                name: { (place) throws(WireError) in whole += try message.name(at: place).octets }
            )
        } catch {
            return (record.rdata..<record.rdataEnd).map { message[$0] }
        }
        return whole
    }

    /// How long the negative answer stays cached, as the end of a sentence.
    var remark: String {
        negativeTTL.map { ", valid for another \($0) s" } ?? ""
    }

    /// Adds the records that come from no private zone, in the order of the reply.
    func addRecords(to known: inout [Explanation.Record]) {
        var (before, after): ([Explanation.Record], [Explanation.Record]) = ([], [])
        var hasKnown = false
        for record in answers {
            if known.contains(where: record.isSame) {
                hasKnown = true
                continue
            }
            let cached = Explanation.Record(
                name: record.name,
                type: record.type,
                ttl: record.ttl,
                data: record.data,
                isChosen: true,
                reason: "cached"
            )
            if hasKnown { after.append(cached) } else { before.append(cached) }
        }
        known = before + known + after
    }
}
