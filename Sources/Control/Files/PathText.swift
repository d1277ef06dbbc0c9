/// Operations on path text: joins paths, and removes `.` and `..` without access to the disk.
enum PathText {
    /// Returns the directory part: `zones` for `zones/a.zone`, `.` if there is none.
    static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Resolves `path` relative to the directory of the file that names it; absolute paths stay.
    static func path(_ path: String, besides file: String) -> String {
        guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
        return file[...slash] + path
    }

    /// Joins a directory and a relative path.
    static func joined(_ directory: String, _ name: String) -> String {
        normalised(directory == "." ? name : directory + "/" + name)
    }

    /// Returns true if `path` is the directory `root` or below it.
    static func isInside(_ path: String, _ root: String) -> Bool {
        let (path, root) = (normalised(path), normalised(root))
        if root == "." { return !path.hasPrefix("/") && path != ".." && !path.hasPrefix("../") }
        return path.hasPrefix(root.hasSuffix("/") ? root : root + "/")
    }

    private static func normalised(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." {
                parts.removeLast()
            } else if part != ".." || !path.hasPrefix("/") {
                parts.append(part)
            }
        }
        let text = parts.joined(separator: "/")
        if path.hasPrefix("/") { return "/" + text }
        return text.isEmpty ? "." : text
    }
}
