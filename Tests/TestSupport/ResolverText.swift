/// Common parts of the configurations of other resolvers: one port of 127.0.0.1, one folder for
/// their files, nothing of the machine's own configuration.
package enum ResolverText {
    /// The command that starts a resolver with the file `configuration`, and its output once it
    /// answers.
    typealias Program = (command: [String], isReady: String)

    static let unbound: Program = (["unbound", "-d", "-c", "configuration"], "start of service")
    static let bind: Program = (["named", "-g", "-n", "1", "-c", "configuration"], " running\n")
    static let knotResolver: Program = (["kresd", "-n", "-c", "configuration", "."], "ready\n")

    /// `server` contains further lines of that section, `others` the sections after it.
    package static func unbound(
        at port: UInt16,
        in folder: String,
        server: [String],
        _ others: String
    ) -> String {
        """
        server:
          interface: 127.0.0.1@\(port)
          directory: "\(folder)"
          chroot: ""
          username: ""
          pidfile: ""
          use-syslog: no
          do-not-query-localhost: no
          \(server.joined(separator: "\n  "))
        remote-control:
          control-enable: no
        \(others)
        """
    }

    /// `options` contains further lines of that statement, `others` the statements after it.
    static func bind(
        at port: UInt16,
        in folder: String,
        options: [String],
        _ others: String
    ) -> String {
        """
        options {
          directory "\(folder)";
          pid-file none;
          session-keyfile none;
          listen-on port \(port) { 127.0.0.1; };
          listen-on-v6 { none; };
          empty-zones-enable no;
          \(options.joined(separator: "\n  "))
        };
        controls { };
        \(others)
        """
    }

    /// `rules` contain trust anchors and upstreams.
    static func knotResolver(at port: UInt16, in folder: String, _ rules: String) -> String {
        """
        net.ipv6 = false
        net.listen('127.0.0.1', \(port), { kind = 'dns' })
        cache.open(32 * MB, 'lmdb://\(folder)')
        trust_anchors.remove('.')
        modules.unload('ta_update')
        modules.unload('ta_signal_query')
        modules.unload('priming')
        modules.unload('detect_time_skew')
        \(rules)
        io.stdout:write('ready\\n')
        io.stdout:flush()
        """
    }

    static func dnsmasq(at port: UInt16, _ others: String) -> String {
        """
        port=\(port)
        listen-address=127.0.0.1
        bind-interfaces
        no-resolv
        no-hosts
        user=
        group=
        pid-file=
        log-facility=-
        \(others)
        """
    }
}
