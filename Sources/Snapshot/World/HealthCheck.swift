/// How the addresses of a zone are found fit to be given to clients.
package struct HealthCheck: Hashable, Sendable {
    package var port: UInt16 = 443
    /// What is asked for over TLS, an absolute path; nil: a TCP connection is all that is wanted.
    package var path: String?
    /// Seconds from one check of an address to the next, and that one may take.
    package var interval: UInt32 = 10
    package var timeout: UInt32 = 2
    /// Checks in a row that must pass until an address is up, and fail until it is down.
    package var rise = 2
    package var fall = 3

    package init() {}
}
