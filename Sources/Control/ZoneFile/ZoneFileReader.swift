package import DNSWire
package import Snapshot

/// Reads a zone from its master file (RFC 1035 §5), with every mistake at its place.
package struct ZoneFileReader {
    private let loader: any FileLoader

    package init(loader: any FileLoader = DiskFileLoader()) { self.loader = loader }

    /// Reads zone `apex` from the file at `path`; nil if there was an error, which `diagnostics` tells.
    package func read(
        apex: DomainName,
        path: String,
        diagnostics: inout Diagnostics
    ) -> ZoneContents? {
        nil
    }
}
