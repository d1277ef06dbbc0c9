/// What each claimant has in flight: in all, for each rule, and below each domain.
///
/// The questions of a share are listed from the oldest to the newest.
struct Shares: ~Copyable {
    /// A claimant's share, or its questions below one domain.
    struct Share: BitwiseCopyable {
        fileprivate var key: UInt64
        fileprivate var claimant: Claimant
        var questions: Int32 = 0
        var waiters: Int32 = 0
        /// The place of its oldest question.
        fileprivate(set) var oldest = UInt32.max
        /// The place of its newest question.
        fileprivate var newest = UInt32.max
    }

    /// A question's neighbours in the list of a share.
    struct Link: BitwiseCopyable {
        var share = UInt32.max
        var older = UInt32.max
        var newer = UInt32.max
    }

    /// The number of shares up to which idle ones are kept.
    private static let idleLimit = 256

    private var shares = Slots<Share>()
    /// The number of shares at which `sweep` forgets the idle ones.
    private var sweepCount = 1024
    private var index = HashIndex()

    /// Forgets idle shares if there are many; it has to be called before shares are looked up.
    mutating func sweep() {
        guard shares.count >= sweepCount else { return }
        for place in 0..<shares.placeCount where shares.id(at: place) != nil {
            forgetIfIdle(place)
        }
        sweepCount = max(1024, 2 * shares.count)
    }

    /// Returns the share of a claimant under a key, which is added if there is none.
    mutating func find(_ claimant: Claimant, _ key: UInt64) -> Int {
        let hash = Self.hash(claimant, key)
        if let known = place(hash, claimant, key) { return known }
        let place = Int(shares.add(Share(key: key, claimant: claimant)).index)
        index.insert(hash, place: place)
        return place
    }

    /// Returns the share of a claimant under a key; nil if there is none.
    func known(_ claimant: Claimant, _ key: UInt64) -> Int? {
        place(Self.hash(claimant, key), claimant, key)
    }

    @inline(__always)
    private func place(_ hash: UInt64, _ claimant: Claimant, _ key: UInt64) -> Int? {
        index.find(hash) { shares[$0].key == key && shares[$0].claimant == claimant }
    }

    @inline(__always)
    private static func hash(_ claimant: Claimant, _ key: UInt64) -> UInt64 {
        var hash = (key ^ UInt64(claimant.number) << 17) &* 0x9E37_79B9_7F4A_7C15
        hash ^= hash >> 32
        return hash &* 0xD6E8_FEB8_6659_FD93
    }

    subscript(place: Int) -> Share {
        @inline(__always) _read { yield shares[place] }
        @inline(__always) _modify { yield &shares[place] }
    }

    /// Appends a question to a share.
    mutating func append(
        _ question: Int,
        to share: Int,
        _ list: QuestionList,
        of questions: inout Slots<Question>
    ) {
        let newest = shares[share].newest
        let number = UInt32(truncatingIfNeeded: question)
        questions[question][list] = Link(share: UInt32(truncatingIfNeeded: share), older: newest)
        if newest == .max {
            shares[share].oldest = number
        } else {
            questions[Int(newest)][list].newer = number
        }
        shares[share].newest = number
        shares[share].questions += 1
    }

    /// Removes a question from its share.
    mutating func remove(
        _ question: Int,
        _ list: QuestionList,
        of questions: inout Slots<Question>
    ) {
        let link = questions[question][list]
        guard link.share != .max else { return }
        let share = Int(link.share)
        if link.older == .max {
            shares[share].oldest = link.newer
        } else {
            questions[Int(link.older)][list].newer = link.newer
        }
        if link.newer == .max {
            shares[share].newest = link.older
        } else {
            questions[Int(link.newer)][list].older = link.older
        }
        questions[question][list] = Link()
        shares[share].questions -= 1
        forgetIfIdle(share)
    }

    /// Forgets a share with nothing in flight, if there are many shares.
    ///
    /// Some idle shares are kept, since most are needed again at once.
    mutating func forgetIfIdle(_ share: Int) {
        guard shares.count > Self.idleLimit, shares[share].questions == 0,
            shares[share].waiters == 0
        else { return }
        let key = shares[share].key
        index.remove(Self.hash(shares[share].claimant, key), place: share)
        shares.remove(at: share)
    }
}

/// The lists that a question is in.
enum QuestionList: Int {
    /// The claimant's questions of all rules.
    case all
    /// The claimant's questions of the rule.
    case route
    /// The claimant's questions below one domain.
    case domain
}
