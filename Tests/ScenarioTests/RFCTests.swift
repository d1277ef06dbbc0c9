import Foundation
import TestSupport
import Testing

/// Checks the tables of docs/rfcs.md and their links.
@Suite struct `The table of RFCs` {
    /// The RFCs that concern a resolver with private zones.
    private static let numbers = [
        1034, 1035, 1123, 1912, 1982, 1995, 1996, 2136, 2181, 2182, 2308, 2782, 3225, 3403, 3597,
        4033, 4034, 4035, 4343, 4592, 4892, 5001, 5155, 5358, 5452, 5625, 5936, 6147, 6303, 6598,
        6604, 6672, 6698, 6731, 6761, 6762, 6840, 6891, 6895, 7314, 7413, 7534, 7535, 7553, 7626,
        7646, 7686, 7766, 7793, 7828, 7830, 7858, 7871, 7873, 8005, 8020, 8198, 8310, 8375, 8467,
        8482, 8484, 8490, 8618, 8659, 8767, 8801, 8880, 8906, 8914, 8945, 8976, 9018, 9076, 9077,
        9103, 9156, 9210, 9250, 9267, 9276, 9364, 9432, 9460, 9461, 9462, 9463, 9471, 9476, 9499,
        9520, 9567, 9606, 9619, 9660, 9665, 9704, 9715, 9824,
    ]

    private struct Row {
        var number: Int
        var status: String
        var explanation: String
        var tests: [TestLink]
    }

    private static func rows() throws -> [Row] {
        let path = Project.path("docs/rfcs.md")
        let text = try String(contentsOfFile: path, encoding: .utf8)
        return text.split(separator: "\n").compactMap { line in
            guard let row = DocumentRow(line), row.cells.count == 5,
                let number = Int(row.cells[0])
            else { return nil }
            return Row(
                number: number,
                status: row.cells[2],
                explanation: row.cells[3],
                tests: row.tests
            )
        }
    }

    @Test func `has each of them once, with a status and a reason`() throws {
        let rows = try Self.rows()
        #expect(rows.map(\.number).sorted() == Self.numbers)
        for row in rows {
            let known = ["done", "partly", "not done", "not applicable"]
            #expect(known.contains(row.status), "\(row.number)")
            #expect(!row.explanation.isEmpty, "\(row.number)")
        }
    }

    @Test func `names a test that exists for whatever is done`() throws {
        for row in try Self.rows() {
            let needsNone = row.status.hasPrefix("not ")
            #expect(!row.tests.isEmpty || needsNone, "\(row.number)")
            for test in row.tests { #expect(test.holds, "\(test.file): \(test.name)") }
        }
    }
}
