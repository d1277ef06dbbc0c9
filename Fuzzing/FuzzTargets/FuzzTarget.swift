/// What is fuzzed: a reader of octets from outside, with what has to hold whatever they are.
///
/// Not to crash is not enough: each target has properties of its own, such as that what was read and written is
/// read as the same. The fuzzer and the tests, which replay the seeds, run the same functions.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// A query, through the whole pipeline.
    case message
    /// An upstream's answer, through the scrubber and the cache to a client.
    case answer
    /// A PROXY protocol v2 header.
    case proxy
    /// A stream of messages, behind a PROXY header or not, in pieces.
    case stream
    /// A cache entry's octets, and stores and reads in any order.
    case cache
    /// A zone file.
    case zone
    /// `zonal.yaml`.
    case yaml
    /// What `aws ec2 describe-…` prints.
    case aws

    /// Runs one input; an error is a fault of ours.
    package func run(_ input: [UInt8]) throws(BrokenProperty) {
        switch self {
        case .message: try MessageTarget.run(input)
        case .answer: try AnswerTarget.run(input)
        case .proxy: try ProxyTarget.run(input)
        case .stream: try StreamTarget.run(input)
        case .cache: try CacheTarget.run(input)
        case .zone: try ZoneTarget.run(input)
        case .yaml: try YAMLTarget.run(input)
        case .aws: try AWSTarget.run(input)
        }
    }
}

/// What an input showed that should never be.
package struct BrokenProperty: Error, CustomStringConvertible {
    package var description: String
}

/// Breaks off unless `condition` holds; `property` says what does not.
func require(
    _ condition: Bool,
    _ property: @autoclosure () -> String
) throws(BrokenProperty) {
    guard condition else { throw BrokenProperty(description: property()) }
}
