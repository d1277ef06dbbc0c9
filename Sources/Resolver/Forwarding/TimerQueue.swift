/// Numbers with the time when each is due, the earliest first: a heap of four children a parent, which lie
/// side by side in memory.
///
/// Nothing is cancelled: whoever takes a number that no longer means anything lets it go.
public struct TimerQueue: Sendable {
    private struct Entry {
        var due: Milliseconds
        var token: UInt64
    }

    private var heap: [Entry] = []

    public init() {}

    public var count: Int { heap.count }

    /// When the earliest is due; nil if there is none.
    public var nextDue: Milliseconds? { heap.first?.due }

    public mutating func add(_ token: UInt64, due: Milliseconds) {
        heap.append(Entry(due: due, token: token))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 4
            guard heap[child].due < heap[parent].due else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// Takes the earliest, if it is due at `now`.
    public mutating func takeDue(at now: Milliseconds) -> UInt64? {
        guard let first = heap.first, first.due <= now else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            siftDown()
        }
        return first.token
    }

    private mutating func siftDown() {
        var parent = 0
        while true {
            var child = 4 * parent + 1
            guard child < heap.count else { return }
            for other in child + 1..<min(child + 4, heap.count)
            where heap[other].due < heap[child].due { child = other }
            guard heap[child].due < heap[parent].due else { return }
            heap.swapAt(child, parent)
            parent = child
        }
    }
}
