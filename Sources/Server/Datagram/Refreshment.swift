import DNSWire
import Resolver

/// A question to be asked for the cache alone, on its way to the worker that owns it.
package struct Refreshment: Sendable {
    var question: UpstreamQuestion
    var name: DomainName
}

extension Pipeline {
    /// What the last reply left to be asked; nil most of the time.
    var leftRefreshment: Refreshment? {
        refreshment.map { Refreshment(question: $0, name: refreshmentName.name) }
    }
}
