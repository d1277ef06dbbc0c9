/// Numbers the names of one message: equal names have equal numbers.
///
/// Each label is processed once, regardless of how many pointers lead to it, so the total time is
/// linear in the size of the message. Comparing names one by one would not be: 64 KiB can hold four
/// thousand pointers to a name of 127 labels. Each call must get the same message.
public struct NameTable: Sendable {
    public typealias Number = Int

    public static let root: Number = 0

    /// A name: its first label and its parent name.
    private struct Name {
        var parent: Number
        /// The offset of the label's length octet in the message.
        var label: Int
        /// The length of the whole name in wire format.
        var length: Int
        var labelCount: Int
        var hash: Int
    }

    private var names = [Name(parent: root, label: 0, length: 1, labelCount: 0, hash: 0)]
    /// An open hash table of numbers; 0, the root's number, marks a free slot.
    private var slots = [Int32](repeating: 0, count: 64)
    /// The number of the name at each offset that a pointer can reach; -1 if not known yet.
    private var known: [Int32]
    private var path: [Int] = []

    public init(of message: Span<UInt8>) {
        known = [Int32](repeating: -1, count: min(message.count, 0x4000))
    }

    /// The number of names found so far; all numbers are below it.
    public var count: Int { names.count }

    public func parent(of name: Number) -> Number { names[name].parent }
    public func length(of name: Number) -> Int { names[name].length }
    public func labelCount(of name: Number) -> Int { names[name].labelCount }

    /// Returns the range of the first label in the message, including its length octet.
    public func firstLabel(of name: Number) -> Range<Int> {
        let (start, length) = (names[name].label, names[name].length)
        return start..<start + length - names[names[name].parent].length
    }

    /// Returns the name and its ancestors by number of labels; the root is the first.
    public func line(of name: Number) -> [Number] {
        var line = [Number](repeating: Self.root, count: names[name].labelCount + 1)
        var name = name
        while name != Self.root {
            line[names[name].labelCount] = name
            name = names[name].parent
        }
        return line
    }

    /// Returns true if the name is `ancestor` or below it.
    public func isInside(_ name: Number, _ ancestor: Number) -> Bool {
        var name = name
        while names[name].labelCount > names[ancestor].labelCount { name = names[name].parent }
        return name == ancestor
    }

    /// Returns the number of the name at `offset`, following pointers (RFC 1035 §4.1.4).
    public mutating func number(
        ofNameAt offset: Int,
        in message: Span<UInt8>
    ) throws(WireError) -> Number {
        path.removeAll(keepingCapacity: true)
        var (place, runStart, length) = (offset, offset, 0)
        var number = Self.root
        walk: while true {
            guard place >= 0 else { throw .truncated(offset: place) }
            if place < known.count, known[place] >= 0 {
                number = Int(known[place])
                break
            }
            switch try message.labelStart(at: place) {
            case .root: break walk
            case .label(let octets):
                path.append(place)
                length += 1 + octets
                place += 1 + octets
            case .pointer:
                path.append(place)
                place = try message.pointerTarget(at: place, before: runStart)
                runStart = place
            }
        }
        guard length + names[number].length <= 255 else { throw .nameTooLong(offset: offset) }
        for place in path.reversed() {
            if message[place] <= 63 { number = find(place, before: number, in: message) }
            if place < known.count { known[place] = Int32(number) }
        }
        return number
    }

    /// Returns the number of the name with `ancestor` replaced by `replacement`.
    ///
    /// Nil if it exceeds 255 octets, which a DNAME may cause (RFC 6672 §2.2).
    public mutating func substitute(
        _ replacement: Number,
        for ancestor: Number,
        in name: Number,
        of message: Span<UInt8>
    ) -> Number? {
        let length = names[name].length - names[ancestor].length + names[replacement].length
        guard length <= 255 else { return nil }
        var number = replacement
        for name in line(of: name).dropFirst(names[ancestor].labelCount + 1) {
            number = find(names[name].label, before: number, in: message)
        }
        return number
    }

    // MARK: The table

    /// Returns the number of the name formed by the label at `place` and `parent`.
    private mutating func find(
        _ place: Int,
        before parent: Number,
        in message: Span<UInt8>
    ) -> Number {
        let label = place..<place + 1 + Int(message[place])
        let hash = Self.hash(label, parent, message)
        var slot = hash & (slots.count - 1)
        while slots[slot] != 0 {
            let number = Int(slots[slot])
            if names[number].hash == hash, names[number].parent == parent,
                isEqual(firstLabel(of: number), label, in: message)
            {
                return number
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        slots[slot] = Int32(names.count)
        names.append(
            Name(
                parent: parent,
                label: place,
                length: names[parent].length + label.count,
                labelCount: names[parent].labelCount + 1,
                hash: hash
            )
        )
        if names.count * 2 > slots.count { grow() }
        return names.count - 1
    }

    private mutating func grow() {
        slots = [Int32](repeating: 0, count: slots.count * 4)
        for number in names.indices.dropFirst() {
            var slot = names[number].hash & (slots.count - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = Int32(number)
        }
    }

    /// Hashes with a key of the process, so that attackers cannot cause collisions; eight octets
    /// per step.
    private static func hash(
        _ label: Range<Int>,
        _ parent: Number,
        _ message: Span<UInt8>
    ) -> Int {
        var hasher = Hasher()
        var word = UInt64(parent)
        for place in label {
            word = word << 8 | UInt64(DomainName.fold(message[place]))
            if (place - label.lowerBound) & 7 == 3 { hasher.combine(word) }
        }
        hasher.combine(word)
        return hasher.finalize()
    }

    private func isEqual(_ left: Range<Int>, _ right: Range<Int>, in message: Span<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        for (left, right) in zip(left, right)
        where DomainName.fold(message[left]) != DomainName.fold(message[right]) { return false }
        return true
    }
}
