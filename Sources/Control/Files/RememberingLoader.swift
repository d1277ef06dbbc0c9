import Synchronization

/// Caches file contents, so that a zone that includes a file often reads it once.
final class RememberingLoader: FileLoader {
    private let loader: any FileLoader
    private let texts = Mutex<[String: [UInt8]]>([:])
    private let truePaths = Mutex<[String: String]>([:])

    init(_ loader: any FileLoader) { self.loader = loader }

    var isAbandoned: Bool { loader.isAbandoned }

    func permissions(of path: String) -> UInt32? { loader.permissions(of: path) }

    func octets(of path: String) throws -> [UInt8] {
        if let known = texts.withLock({ $0[path] }) { return known }
        let octets = try loader.octets(of: path)
        texts.withLock { $0[path] = octets }
        return octets
    }

    func resolved(_ path: String) throws -> String {
        if let known = truePaths.withLock({ $0[path] }) { return known }
        let resolved = try loader.resolved(path)
        truePaths.withLock { $0[path] = resolved }
        return resolved
    }
}
