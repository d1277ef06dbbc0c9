import ArgumentParser
import Control

/// `--listen`: `127.0.0.1:5300`, `[::1]:5300`, or an address alone for port 53.
struct ListenAddress {
    let endpoint: EndpointText

    /// Throws what the command line's user is told.
    init(parsing argument: String) throws {
        guard let endpoint = EndpointText(argument) else {
            throw ValidationError(
                "'\(argument)' is not an address and port; write 127.0.0.1:5300 or [::1]:5300"
            )
        }
        if let fault = endpoint.scopeFault { throw ValidationError(fault) }
        self.endpoint = endpoint
    }
}
