import ArgumentParser

/// The values of `--format`.
enum OutputFormat: String, ExpressibleByArgument {
    case text, json
}
