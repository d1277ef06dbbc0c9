package import DNSWire
package final class ResponseCache: Sendable { package init(byteCount: Int) {} }
