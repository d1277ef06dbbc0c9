import Control
import Glibc
import Server
import ServiceLifecycle
import UnixSignals

/// Requests a reload at every SIGHUP, and rereads /etc/resolv.conf when it changes.
///
/// This service does not wait for reloads, so that the server can stop while one is running.
struct ReloadService: Service {
    let hangups: UnixSignalsSequence
    let reloader: Reloader

    func run() async {
        await withTaskGroup { group in
            group.addTask {
                for await _ in hangups.cancelOnGracefulShutdown() { reloader.request() }
            }
            group.addTask { try? await watchResolvers() }
        }
    }

    /// Checks once per second whether the file has changed.
    ///
    /// Follows symbolic links, because systemd-resolved uses one.
    private func watchResolvers() async throws {
        try await cancelWhenGracefulShutdown {
            var known = FileSignature(of: "/etc/resolv.conf")
            // The file may have changed since the configuration was loaded.
            reloader.requestSystem()
            while true {
                try await Task.sleep(for: .seconds(1))
                let found = FileSignature(of: "/etc/resolv.conf")
                if found != known { reloader.requestSystem() }
                known = found
            }
        }
    }
}

/// Identifies one version of a file.
private struct FileSignature: Equatable {
    private var numbers: [Int]

    /// Reads the signature of the file at `path`; follows symbolic links.
    init(of path: String) {
        var status = stat()
        // Sound: the string is valid until the call returns, and `status` is a local variable.
        let isThere = unsafe stat(path, &status) == 0
        numbers =
            isThere
            ? [
                Int(status.st_dev), Int(status.st_ino), status.st_size,
                status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
                status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
            ] : []
    }
}
