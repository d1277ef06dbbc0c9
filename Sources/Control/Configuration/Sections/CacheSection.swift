import Snapshot

extension CacheSettings: ConfigurationEntry {
    static let section = ConfigurationSection({ _ in CacheSettings() }, keys) {
        cache,
        entries,
        journal in
        guard cache.minTTL > cache.maxTTL else { return }
        journal.error(
            at: entries.place(of: \.minTTL),
            "min-ttl is greater than max-ttl; write at most \(cache.maxTTL)s"
        )
    }

    private static let keys: [ConfigurationKey<Self>] = [
        ConfigurationKey(
            "size",
            .one(.size),
            to: \.byteCount,
            .means(
                "Memory for cached answers, all threads together, in octets, KiB, MiB or GiB; 0 caches nothing.",
                example: "size: 256MiB"
            )
        ),
        ConfigurationKey(
            "max-ttl",
            .one(.duration),
            to: \.maxTTL,
            .means("The longest time that a positive answer is used.", example: "max-ttl: 12h")
        ),
        ConfigurationKey(
            "min-ttl",
            .one(.duration),
            to: \.minTTL,
            .means(
                "The shortest time that a positive answer is used. Above 0 it keeps records for longer than their owner allows.",
                example: "min-ttl: 5s"
            )
        ),
        ConfigurationKey(
            "negative-max-ttl",
            .one(.duration),
            to: \.negativeMaxTTL,
            .means(
                "The longest time that NXDOMAIN and NODATA are used. NXDOMAIN holds for all types of its name, not for names below it.",
                example: "negative-max-ttl: 5m"
            )
        ),
        ConfigurationKey(
            "serve-stale",
            .one(.duration),
            to: \.serveStale,
            .means(
                "How long an expired answer may still be given while upstreams do not answer (RFC 8767). `0s` turns this off.",
                example: "serve-stale: 1h"
            )
        ),
    ]
}
