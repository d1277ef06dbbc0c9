import ArgumentParser

/// `--format`: for people, or for programs.
enum OutputFormat: String, ExpressibleByArgument {
    case text, json
}
