import Glibc

/// The user of the servers that tests compare with: nobody if the tests run as root.
enum Unprivileged {
    /// A command without root privileges.
    static func command(_ command: [String]) -> [String] {
        guard getuid() == 0 else { return command }
        return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] + command
    }

    /// A folder that such a command may write to.
    static func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        if getuid() == 0 { try Command.run(["chown", "nobody:nogroup", folder.path]) }
        return folder
    }
}
