package import DNSWire
package import Snapshot

// Signatures that the configuration reader fills; whoever brings it deletes this file.

package struct Configuration: Sendable {
    package struct Listener: Hashable, Sendable {
        package var address: IPAddress
        package var port: UInt16
    }

    package var world = World()
    package var listeners: [Listener] = []
    package var workers: Int?
}

package enum ConfigurationLoader {
    package static func load(path: String, diagnostics: inout Diagnostics) -> Configuration? { nil }
}
