import DNSWire

/// Values by prefix, for compilers: finds the longest enclosing prefix.
struct PrefixTable<Value> {
    private var values: [IPPrefix: Value] = [:]
    /// The lengths in use, longest first; a search tries no others.
    private var lengths: [Int] = []

    var prefixes: [IPPrefix] { Array(values.keys) }

    var entries: [(prefix: IPPrefix, value: Value)] { values.map { ($0.key, $0.value) } }

    init() {}

    /// Adds a value; if the prefix has one already, `merge` combines both.
    mutating func add(_ prefix: IPPrefix, _ value: Value, _ merge: (Value, Value) -> Value) {
        if let old = values[prefix] {
            values[prefix] = merge(old, value)
            return
        }
        values[prefix] = value
        note(prefix.length)
    }

    /// Changes the value of a prefix in place, starting from `initial` if there is none.
    mutating func update(
        _ prefix: IPPrefix,
        default initial: @autoclosure () -> Value,
        _ change: (inout Value) -> Void
    ) {
        change(&values[prefix, default: initial()])
        note(prefix.length)
    }

    private mutating func note(_ length: Int) {
        if !lengths.contains(length) {
            lengths.append(length)
            lengths.sort(by: >)
        }
    }

    func mostSpecific(holding prefix: IPPrefix) -> Value? {
        mostSpecific(holding: prefix) { $0 }
    }

    /// Returns the length and value of the longest prefix that contains `prefix`.
    func longest(holding prefix: IPPrefix) -> (length: Int, value: Value)? {
        all(holding: prefix).first
    }

    /// Returns all prefixes that contain `prefix`, longest first, as lengths and values.
    func all(holding prefix: IPPrefix) -> [(length: Int, value: Value)] {
        lengths.compactMap { length in
            value(holding: prefix, length: length).map { (length, $0) }
        }
    }

    /// Returns the value of the prefix of this length that contains `prefix`; all prefixes are of
    /// one family.
    private func value(holding prefix: IPPrefix, length: Int) -> Value? {
        guard length <= prefix.length, length >= 96 || !prefix.isV4 else { return nil }
        return values[IPPrefix(prefix.first, length: length)]
    }

    /// Returns the first non-nil result of `select`, trying the longest prefix first.
    func mostSpecific<Result>(
        holding prefix: IPPrefix,
        select: (Value) -> Result?
    ) -> Result? {
        for length in lengths {
            guard let value = value(holding: prefix, length: length), let result = select(value)
            else { continue }
            return result
        }
        return nil
    }
}

extension PrefixTable where Value == Bool {
    /// Makes a set of prefixes.
    init(_ prefixes: [IPPrefix]) {
        for prefix in prefixes { add(prefix, true) { first, _ in first } }
    }
}
