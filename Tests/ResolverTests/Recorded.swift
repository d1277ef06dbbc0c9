import Testing

/// Recorded events, in order.
///
/// An index past the end records an issue in the current test and returns `missing`. A trap would
/// lose the results of all other tests.
struct Recorded<Element>: RandomAccessCollection {
    private let elements: [Element]
    private let missing: Element

    init(_ elements: [Element], missing: Element) {
        self.elements = elements
        self.missing = missing
    }

    var startIndex: Int { 0 }
    var endIndex: Int { elements.count }

    subscript(index: Int) -> Element {
        guard elements.indices.contains(index) else {
            Issue.record("number \(index) was wanted, and there are \(elements.count)")
            return missing
        }
        return elements[index]
    }

    static func + (left: Self, right: Self) -> Self {
        Self(left.elements + right.elements, missing: left.missing)
    }
}
