/// What is left for the owner to do, taken in the order in which it came; the memory is used again.
struct Outbox<Item: BitwiseCopyable>: ~Copyable {
    private var items = Table<Item>()
    private var taken = 0

    mutating func append(_ item: Item) { items.append(item) }

    /// The oldest item that has not been taken; each is returned once.
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
