/// A name for lookups: its octets in lower case, the offsets of its labels, and a hash of each
/// suffix.
///
/// A value is reused: it allocates its memory once, and `read` fills it. Suffixes are numbered by
/// the labels left of them: suffix 0 is the whole name, suffix `labelCount` the root.
///
/// The three tables are raw memory, because an `Array` would check for uniqueness at every write.
/// Every access is within the fixed sizes below: `read` rejects names of over 255 octets, and a
/// name of 255 octets has at most 127 labels.
@safe public struct FoldedName: ~Copyable {
    /// The size of a name, plus padding for reads of eight octets.
    private static var octetCapacity: Int { 264 }
    private static var labelCapacity: Int { 129 }

    @usableFromInline let octetStorage: UnsafeMutablePointer<UInt8>
    let startStorage: UnsafeMutablePointer<UInt8>
    let hashStorage: UnsafeMutablePointer<UInt64>

    /// The length of the name in wire format, including the root label; 0 before the first `read`.
    public internal(set) var count = 0
    /// The number of labels, without the root.
    public internal(set) var labelCount = 0
    /// The key of the hashes.
    public let hashSeed: HashSeed

    /// Makes an empty name; `seed` is the key of its hashes.
    public init(seed: HashSeed) {
        hashSeed = seed
        unsafe octetStorage = .allocate(capacity: Self.octetCapacity)
        unsafe octetStorage.initialize(repeating: 0, count: Self.octetCapacity)
        unsafe startStorage = .allocate(capacity: Self.labelCapacity)
        unsafe startStorage.initialize(repeating: 0, count: Self.labelCapacity)
        unsafe hashStorage = .allocate(capacity: Self.labelCapacity)
        unsafe hashStorage.initialize(repeating: 0, count: Self.labelCapacity)
    }

    deinit {
        unsafe octetStorage.deallocate()
        unsafe startStorage.deallocate()
        unsafe hashStorage.deallocate()
    }

    /// Reads the uncompressed name at `offset` of `message`.
    ///
    /// Returns false and becomes the root if there is no valid name.
    public mutating func read(_ message: Span<UInt8>, at offset: Int) -> Bool {
        guard offset >= 0, offset < message.count else { return becomeRoot() }
        let rest = message.extracting(offset..<min(offset + 255, message.count))
        return unsafe rest.withUnsafeBytes { octets in
            guard unsafe noteLabels(of: octets) else { return becomeRoot() }
            // Sound: `noteLabels` has found a name of `count` octets.
            unsafe copyFolded(UnsafeRawBufferPointer(rebasing: octets[..<count]))
            hashSuffixes()
            return true
        }
    }

    private mutating func becomeRoot() -> Bool {
        append(0, at: 0)
        finish(count: 1)
        return false
    }

    /// Stores the offsets of the labels and the length of a name of at most 255 octets; returns
    /// false if it is invalid.
    @unsafe @inline(__always)
    private mutating func noteLabels(of octets: UnsafeRawBufferPointer) -> Bool {
        precondition(octets.count <= 255)
        var (end, labels) = (0, 0)
        while end < octets.count {
            // Sound: a name of at most 255 octets has fewer labels than the storage.
            unsafe startStorage[labels] = UInt8(truncatingIfNeeded: end)
            let length = unsafe octets[end]
            if length == 0 {
                (count, labelCount) = (end + 1, labels)
                return true
            }
            guard length <= 63 else { return false }
            end &+= 1 &+ Int(length)
            labels &+= 1
        }
        return false
    }

    /// Copies a name of at most 255 octets in lower case, eight octets at a time; the last eight
    /// end where the name ends.
    @unsafe @inline(__always)
    private func copyFolded(_ source: UnsafeRawBufferPointer) {
        guard source.count >= 8 else {
            for index in 0..<source.count {
                unsafe octetStorage[index] = DomainName.fold(source[index])
            }
            return
        }
        let target = unsafe UnsafeMutableRawPointer(octetStorage)
        let last = source.count - 8
        var index = 0
        while true {
            // Sound: whole words end within the name, which fits into the storage.
            let word = unsafe source.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            unsafe target.storeBytes(of: Self.fold(word), toByteOffset: index, as: UInt64.self)
            if index == last { return }
            index = min(index &+ 8, last)
        }
    }

    /// Converts eight octets to lower case (RFC 4343 §3); label lengths, 0 to 63, do not change.
    @inline(__always) static func fold(_ word: UInt64) -> UInt64 {
        let low = word & 0x7F7F_7F7F_7F7F_7F7F
        // The high bit of each octet: adding 0x80 - `A` carries from `A` on, adding 0x7F - `Z`
        // carries after `Z`.
        let fromA = low &+ 0x3F3F_3F3F_3F3F_3F3F
        let beyondZ = low &+ 0x2525_2525_2525_2525
        let isUpper = (fromA ^ beyondZ) & ~word & 0x8080_8080_8080_8080
        return word | isUpper >> 2
    }

    /// Returns the case bit of each octet that is a lower-case letter.
    @inline(__always) public static func letters(of word: UInt64) -> UInt64 {
        let low = word & 0x7F7F_7F7F_7F7F_7F7F
        let fromA = low &+ 0x1F1F_1F1F_1F1F_1F1F
        let beyondZ = low &+ 0x0505_0505_0505_0505
        return ((fromA ^ beyondZ) & ~word & 0x8080_8080_8080_8080) >> 2
    }

    /// Copies a control-plane name.
    public mutating func read(_ name: DomainName) {
        _ = read(name.octets.span, at: 0)
    }

    /// Copies `other`.
    public mutating func copy(_ other: borrowing FoldedName) {
        // Sound: both have tables of the same sizes, and this part of the other's is initialised.
        unsafe octetStorage.update(from: other.octetStorage, count: other.count)
        guard hashSeed.value == other.hashSeed.value else { return finish(count: other.count) }
        (count, labelCount) = (other.count, other.labelCount)
        unsafe startStorage.update(from: other.startStorage, count: other.labelCount + 1)
        unsafe hashStorage.update(from: other.hashStorage, count: other.labelCount + 1)
    }

    /// Becomes the first `labels` labels of `prefix`, followed by suffix `suffixLabels` of `other`;
    /// returns false if that exceeds 255 octets.
    public mutating func assemble(
        labels: Int,
        of prefix: borrowing FoldedName,
        before suffix: Int,
        of other: borrowing FoldedName
    ) -> Bool {
        let head = prefix.offset(ofSuffix: labels)
        let tail = other.offset(ofSuffix: suffix)
        guard head + other.count - tail <= 255 else { return false }
        for index in 0..<head { unsafe octetStorage[index] = prefix.octetStorage[index] }
        for index in tail..<other.count {
            unsafe octetStorage[head + index - tail] = other.octetStorage[index]
        }
        finish(count: head + other.count - tail)
        return true
    }

    /// Writes one octet of a name under construction; `index` is at most 254.
    func append(_ octet: UInt8, at index: Int) {
        precondition(index >= 0 && index < 255)
        unsafe octetStorage[index] = DomainName.fold(octet)
    }

    /// Stores the offsets of the labels and hashes every suffix, from the root up.
    mutating func finish(count: Int) {
        self.count = count
        var labels = 0
        var offset = 0
        while unsafe octetStorage[offset] != 0 {
            unsafe startStorage[labels] = UInt8(truncatingIfNeeded: offset)
            labels += 1
            offset += 1 + Int(unsafe octetStorage[offset])
        }
        unsafe startStorage[labels] = UInt8(truncatingIfNeeded: offset)
        labelCount = labels
        hashSuffixes()
    }

    /// Hashes every suffix, from the root up.
    @inline(__always) private func hashSuffixes() {
        var (labels, hash) = (labelCount, hashSeed.value)
        unsafe hashStorage[labels] = hash
        while labels > 0 {
            labels -= 1
            let start = Int(unsafe startStorage[labels])
            hash = unsafe LabelHash.extend(hash, with: octetStorage + start)
            unsafe hashStorage[labels] = hash
        }
    }

    /// Returns the offset of suffix `labels`.
    @inline(__always) public func offset(ofSuffix labels: Int) -> Int {
        precondition(labels >= 0 && labels <= labelCount)
        return Int(unsafe startStorage[labels])
    }

    /// Returns the keyed hash of suffix `labels`.
    @inline(__always) public func hash(ofSuffix labels: Int) -> UInt64 {
        precondition(labels >= 0 && labels <= labelCount)
        return unsafe hashStorage[labels]
    }

    /// Returns one octet of the name, in lower case.
    @inline(__always) public subscript(index: Int) -> UInt8 {
        precondition(index >= 0 && index < count)
        return unsafe octetStorage[index]
    }

    /// Calls `body` with the name's octets.
    @inline(__always) public func withOctets<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
        // Sound: the first `count` octets are initialised and live as long as `self`.
        body(unsafe Span(_unsafeStart: octetStorage, count: count))
    }

    /// Returns true if suffix `labels` equals `octets`, which are in lower case.
    @inline(__always) public func equals(_ octets: Span<UInt8>, fromSuffix labels: Int) -> Bool {
        let start = offset(ofSuffix: labels)
        guard count - start == octets.count else { return false }
        // Sound: both ranges are initialised, and the name's ends at `count`.
        return unsafe octets.withUnsafeBytes { other in
            guard other.count >= 8 else {
                for index in 0..<other.count
                where unsafe octetStorage[start + index] != other[index] { return false }
                return true
            }
            let own = unsafe UnsafeRawPointer(octetStorage + start)
            // Eight octets per step; the last step ends where the name ends.
            var index = 0
            while true {
                let one = unsafe own.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                let two = unsafe other.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                guard one == two else { return false }
                if index == other.count - 8 { return true }
                index = min(index + 8, other.count - 8)
            }
        }
    }

    /// Returns true if `octets` are the name in any letter case.
    @inline(__always) public func isWritten(_ octets: Span<UInt8>) -> Bool {
        // Sound: the first `count` octets are initialised and live as long as `self`.
        unsafe Span(_unsafeStart: octetStorage, count: count).equalsFolded(octets)
    }

    /// Returns true if `other` is the same name.
    public func equals(_ other: borrowing FoldedName) -> Bool {
        other.withOctets { equals($0, fromSuffix: 0) }
    }

    /// Returns true if `other`, which is in lower case, is this name.
    public func equals(_ other: DomainName) -> Bool {
        equals(other.octets.span, fromSuffix: 0)
    }

    /// Returns true if the name is `ancestor`, which is in lower case, or below it.
    public func isInside(_ ancestor: DomainName) -> Bool {
        for labels in 0...labelCount where equals(ancestor.octets.span, fromSuffix: labels) {
            return true
        }
        return false
    }

    /// A copy as a `DomainName`.
    public var name: DomainName {
        DomainName(octets: (0..<count).map { self[$0] }) ?? .root
    }
}

/// The key of all name hashes of the process, so that attackers cannot cause collisions.
public struct HashSeed: Sendable, BitwiseCopyable {
    let value: UInt64

    public init(value: UInt64) { self.value = value }

    /// Makes a random seed.
    public static func random() -> HashSeed { HashSeed(value: .random(in: .min ... .max)) }

    /// Returns the keyed hash of a number.
    public func hash(_ number: UInt64) -> UInt64 { LabelHash.mix(value, number) }
}

/// The hash of a name: label by label from the root, eight octets per step.
@safe public enum LabelHash {
    /// Returns the hash of a name from its parent's `hash` and its first label, including the
    /// length octet.
    ///
    /// `label` points to a length octet (0 to 63), that many octets, and at least seven more
    /// readable octets.
    @unsafe
    static func extend(_ hash: UInt64, with label: UnsafePointer<UInt8>) -> UInt64 {
        let count = 1 + Int(unsafe label.pointee & 63)
        let raw = unsafe UnsafeRawPointer(label)
        var hash = hash
        var offset = 0
        while offset + 8 <= count {
            hash = mix(hash, unsafe raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset += 8
        }
        let rest = unsafe raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self).littleEndian
        return mix(hash, rest & ~(UInt64.max << UInt64(8 * (count - offset))))
    }

    @inline(__always)
    static func mix(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        let product = (hash ^ word).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        return product.high ^ product.low &+ 0x2545_F491_4F6C_DD1D
    }
}

extension FoldedName {
    /// Returns the hash of the name `*` directly below suffix `suffix`.
    public func wildcardHash(belowSuffix suffix: Int) -> UInt64 {
        var label = UInt64(0x2A01).littleEndian
        return unsafe withUnsafeBytes(of: &label) {
            // Sound: the buffer has eight octets; the first two are the length and the label.
            unsafe LabelHash.extend(
                hash(ofSuffix: suffix),
                with: $0.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt8.self)
            )
        }
    }

    /// Replaces the last `dropping` octets of the first label of suffix `suffix` by `tail`.
    ///
    /// Returns false and changes nothing if the label would be empty or exceed 63 octets, or the
    /// name 255.
    public mutating func replaceEnd(
        ofLabel suffix: Int,
        dropping: Int,
        with tail: Span<UInt8>
    ) -> Bool {
        guard suffix >= 0, suffix < labelCount, dropping >= 0 else { return false }
        let start = offset(ofSuffix: suffix)
        let next = offset(ofSuffix: suffix + 1)
        let kept = next - start - 1 - dropping
        let label = kept + tail.count
        let total = count - dropping + tail.count
        guard kept >= 0, (1...63).contains(label), total <= 255 else { return false }
        let rest = count - next
        let moved = start + 1 + label
        // The direction of the copy avoids overwriting octets before they are read.
        for step in 0..<rest {
            let index = moved < next ? step : rest - 1 - step
            append(self[next + index], at: moved + index)
        }
        append(UInt8(label), at: start)
        for index in tail.indices { append(tail[index], at: start + 1 + kept + index) }
        finish(count: total)
        return true
    }
}

extension FoldedName {
    /// Returns eight octets of the name from `offset` on, the first in the low bits; zeros after
    /// its end.
    @inlinable @inline(__always) public func word(at offset: Int) -> UInt64 {
        guard offset >= 0, offset < count else { return 0 }
        // Sound: a name has at most 255 octets, and the storage at least seven more.
        let word = unsafe UnsafeRawPointer(octetStorage)
            .loadUnaligned(fromByteOffset: offset, as: UInt64.self).littleEndian
        let left = count - offset
        return left < 8 ? word & ~(UInt64.max << UInt64(8 * left)) : word
    }
}

extension Span where Element == UInt8 {
    /// Returns eight octets from `offset` on, the first in the low bits; zeros after the end.
    @inlinable @inline(__always) public func word(at offset: Int) -> UInt64 {
        bigEndian64(at: offset)?.byteSwapped ?? lastWord(at: offset)
    }

    /// Handles the last, incomplete word.
    @usableFromInline func lastWord(at offset: Int) -> UInt64 {
        guard offset < count else { return 0 }
        if count >= 8, let last = bigEndian64(at: count - 8) {
            return last.byteSwapped >> UInt64(8 * (8 - (count - offset)))
        }
        return (offset..<count).reversed().reduce(0) { $0 << 8 | UInt64(self[$1]) }
    }
}
