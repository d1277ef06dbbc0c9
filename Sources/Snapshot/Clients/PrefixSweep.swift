public import DNSWire

/// Visits prefixes in the order of their addresses, enclosing ones first.
///
/// A stack has the prefixes that enclose the current one. Each prefix is visited twice, so sorting
/// dominates the work.
public enum PrefixSweep {
    /// Calls `open` for each element, with the result for the nearest enclosing element, and
    /// `close` after its last enclosed element.
    ///
    /// Of elements with equal prefixes, earlier ones enclose later ones.
    @inlinable
    public static func run<Element, Open>(
        over elements: [Element],
        by prefix: (Element) -> IPPrefix,
        open: (_ element: Element, _ around: Open?) -> Open,
        close: (_ done: Open, _ around: inout Open?) -> Void = { _, _ in }
    ) {
        let sorted = elements.indices.sorted { left, right in
            let (one, other) = (prefix(elements[left]), prefix(elements[right]))
            return (one.family, one.first, one.length, left)
                < (other.family, other.first, other.length, right)
        }
        var stack: [(prefix: IPPrefix, content: Open)] = []
        func closeLast() {
            let done = stack.removeLast()
            guard let around = stack.popLast() else {
                var nothing: Open?
                return close(done.content, &nothing)
            }
            var content: Open? = around.content
            close(done.content, &content)
            stack.append((around.prefix, content ?? around.content))
        }
        for index in sorted {
            let prefix = prefix(elements[index])
            while let last = stack.last, !last.prefix.contains(prefix) { closeLast() }
            stack.append((prefix, open(elements[index], stack.last?.content)))
        }
        while !stack.isEmpty { closeLast() }
    }
}
