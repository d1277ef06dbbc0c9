/// A queue of work for the owner, first in, first out; its memory is reused.
struct Outbox<Item: BitwiseCopyable>: ~Copyable {
    private var items = Table<Item>()
    private var taken = 0

    mutating func append(_ item: Item) { items.append(item) }

    /// Returns the oldest item that was not returned yet.
    mutating func take() -> Item? {
        guard taken < items.count else {
            items.removeAll()
            taken = 0
            return nil
        }
        taken += 1
        return items[taken - 1]
    }
}
