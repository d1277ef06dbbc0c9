import ArgumentParser
import Control

/// `--listen`: `127.0.0.1:5300`, `[::1]:5300`, or an address alone for port 53.
struct ListenAddress: ExpressibleByArgument {
    let endpoint: EndpointText

    init?(argument: String) {
        guard let endpoint = EndpointText(argument) else { return nil }
        self.endpoint = endpoint
    }
}
