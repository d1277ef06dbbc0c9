/// Objects by their keys, with the one that was found last at hand: one question looks for the same ones
/// again and again, and hashing a key takes longer than comparing it.
struct RecentObjects<Key: Hashable, Object: AnyObject> {
    private var objects: [Key: Object] = [:]
    private var last: (key: Key, object: Object)?

    var count: Int { objects.count }

    mutating func find(_ key: Key) -> Object? {
        if let last, last.key == key { return last.object }
        guard let object = objects[key] else { return nil }
        last = (key, object)
        return object
    }

    mutating func keep(_ object: Object, for key: Key) {
        objects[key] = object
        last = (key, object)
    }

    mutating func remove(_ key: Key) {
        objects[key] = nil
        last = nil
    }

    mutating func removeAll(where isInVain: (Object) -> Bool) {
        objects = objects.filter { !isInVain($0.value) }
        last = nil
    }
}
