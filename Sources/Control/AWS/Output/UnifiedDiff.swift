/// Computes line differences in the format of `diff -u`.
enum UnifiedDiff {
    private static let context = 3

    private enum Line {
        case kept(Substring)
        case removed(Substring)
        case added(Substring)

        var isChange: Bool {
            if case .kept = self { return false }
            return true
        }
    }

    static func hunks(from old: String, to new: String) -> [String] {
        let lines = lines(from: old, to: new)
        var result: [String] = []
        var index = 0
        var (oldLine, newLine) = (1, 1)
        while let change = lines[index...].firstIndex(where: \.isChange) {
            let start = max(index, change - context)
            for line in lines[index..<start] { count(line, &oldLine, &newLine) }
            let end = endOfHunk(lines, from: change)
            var (oldCount, newCount) = (oldLine, newLine)
            var body: [String] = []
            for line in lines[start..<end] {
                count(line, &oldCount, &newCount)
                body.append(text(of: line))
            }
            let counts = (oldCount - oldLine, newCount - newLine)
            result.append(
                "@@ -\(counts.0 == 0 ? oldLine - 1 : oldLine),\(counts.0) +\(counts.1 == 0 ? newLine - 1 : newLine),\(counts.1) @@"
            )
            result += body
            (oldLine, newLine) = (oldCount, newCount)
            index = end
        }
        return result
    }

    /// Returns the index after the last change of the hunk; changes at most twice the context apart
    /// share a hunk.
    private static func endOfHunk(_ lines: [Line], from change: Int) -> Int {
        var last = change
        var index = change
        while index < lines.count, index - last <= 2 * context {
            if lines[index].isChange { last = index }
            index += 1
        }
        return min(last + context + 1, lines.count)
    }

    private static func count(_ line: Line, _ old: inout Int, _ new: inout Int) {
        switch line {
        case .kept: (old, new) = (old + 1, new + 1)
        case .removed: old += 1
        case .added: new += 1
        }
    }

    private static func text(of line: Line) -> String {
        switch line {
        case .kept(let text): " \(text)"
        case .removed(let text): "-\(text)"
        case .added(let text): "+\(text)"
        }
    }

    private static func lines(from old: String, to new: String) -> [Line] {
        let old = old.split(separator: "\n", omittingEmptySubsequences: true)
        let new = new.split(separator: "\n", omittingEmptySubsequences: true)
        if old.isEmpty { return new.map(Line.added) }
        if new.isEmpty { return old.map(Line.removed) }
        // Strip equal lines at both ends first, which makes long insertions cheap.
        let head = zip(old, new).prefix { $0 == $1 }.count
        let tail = zip(old[head...].reversed(), new[head...].reversed()).prefix { $0 == $1 }.count
        let middle = merge(old[head..<old.count - tail], new[head..<new.count - tail])
        return old[..<head].map(Line.kept) + middle + old[(old.count - tail)...].map(Line.kept)
    }

    private static func merge(
        _ old: ArraySlice<Substring>,
        _ new: ArraySlice<Substring>
    ) -> [Line] {
        if old.count + new.count > 20_000 { return old.map(Line.removed) + new.map(Line.added) }
        let difference = Array(new).difference(from: Array(old))
        let removed = Set(difference.removals.map(Self.offset))
        let added = Set(difference.insertions.map(Self.offset))
        var lines: [Line] = []
        var (oldIndex, newIndex) = (0, 0)
        while oldIndex < old.count || newIndex < new.count {
            if removed.contains(oldIndex) {
                lines.append(.removed(old[old.startIndex + oldIndex]))
                oldIndex += 1
            } else if added.contains(newIndex) {
                lines.append(.added(new[new.startIndex + newIndex]))
                newIndex += 1
            } else {
                lines.append(.kept(new[new.startIndex + newIndex]))
                (oldIndex, newIndex) = (oldIndex + 1, newIndex + 1)
            }
        }
        return lines
    }

    private static func offset(_ change: CollectionDifference<Substring>.Change) -> Int {
        switch change {
        case .insert(let offset, _, _), .remove(let offset, _, _): offset
        }
    }
}
