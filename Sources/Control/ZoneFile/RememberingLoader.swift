import Synchronization

/// Reads each file once, however often one zone wants it.
final class RememberingLoader: FileLoader {
    private let loader: any FileLoader
    private let texts = Mutex<[String: [UInt8]]>([:])

    init(_ loader: any FileLoader) { self.loader = loader }

    func octets(of path: String) throws -> [UInt8] {
        if let known = texts.withLock({ $0[path] }) { return known }
        let octets = try loader.octets(of: path)
        texts.withLock { $0[path] = octets }
        return octets
    }

    func resolved(_ path: String) throws -> String { try loader.resolved(path) }
}
