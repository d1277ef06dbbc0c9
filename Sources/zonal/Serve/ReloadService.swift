import Control
import Glibc
import Server
import ServiceLifecycle
import UnixSignals

/// Asks for a reload at every SIGHUP, and for a look at the machine's name servers when /etc/resolv.conf changes.
///
/// Nothing waits for a reload here: a server that is told to stop ends in its time, whatever is being read.
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

    /// Looks once a second whether the file is another; what it links to counts, as systemd-resolved has it.
    private func watchResolvers() async throws {
        try await cancelWhenGracefulShutdown {
            var known = FileSignature(of: "/etc/resolv.conf")
            // It may have changed since the configuration was loaded.
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

/// By what a file is known to be another, or to have changed.
private struct FileSignature: Equatable {
    private var numbers: [Int]

    /// Reads the signature of what `path` leads to.
    init(of path: String) {
        var status = stat()
        // Sound: the string lives until the call returns, and `status` is ours.
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
