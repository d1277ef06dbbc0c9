public import DNSWire

/// Goes through prefixes in the order of their addresses, each behind those that hold it.
///
/// At every step the prefixes that hold the current one are open, as a stack. So each is looked at twice, whatever
/// holds what: the work is that of sorting them.
public enum PrefixSweep {
    /// Calls `open` for each element, with what was made of the nearest one whose prefix holds its own, and `close` once
    /// nothing more is held.
    ///
    /// Elements of equal prefixes hold those behind them, in the order in which they are given.
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
