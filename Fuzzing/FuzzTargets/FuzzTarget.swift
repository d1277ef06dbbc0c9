/// A fuzz target: a reader of untrusted octets, with properties that hold for any input.
///
/// Besides not crashing, each target has properties of its own, for example that a value reads back
/// as it was written. The fuzzer, and the tests that replay the seeds, run the same functions.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// A query, through the whole pipeline.
    case message
    /// An upstream's answer, through the scrubber and the cache to a client.
    case answer
    /// A PROXY protocol v2 header.
    case proxy
    /// A stream of messages in pieces, with or without a PROXY header.
    case stream
    /// A cache entry's octets, and stores and reads in any order.
    case cache
    /// A zone file.
    case zone
    /// `zonal.yaml`.
    case yaml
    /// The output of `aws ec2 describe-…`.
    case aws

    /// Runs one input; an error is a bug.
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

/// A property that does not hold for an input.
package struct BrokenProperty: Error, CustomStringConvertible {
    package var description: String
}

/// Throws unless `condition` holds; `property` describes the violation.
func require(
    _ condition: Bool,
    _ property: @autoclosure () -> String
) throws(BrokenProperty) {
    guard condition else { throw BrokenProperty(description: property()) }
}
