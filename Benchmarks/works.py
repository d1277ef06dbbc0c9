"""The compared works, each with the servers that support it."""

import os
import statistics

from servers import ADDRESS, LOAD_CORE, ORIGIN, encode, free_port

NAMES = 1000
CACHED = 5000


# MARK: Zones and questions


def private_zone(count=NAMES):
    """A zone of names, each with an address in each of three AZs."""
    lines = ["$TTL 300", f"@ SOA ns.{ORIGIN}. hostmaster.{ORIGIN}. 1 1h 15m 1w 60", f"@ NS ns.{ORIGIN}.", "ns A 127.20.1.2"]
    for number in range(count):
        high, low = number // 250 % 250, number % 250 + 1
        lines += [f"h{number} A 127.{zone}.{high}.{low}" for zone in (21, 22, 23)]
    return "\n".join(lines) + "\n"


def questions(bench, name, names):
    path = bench.scratch / name
    path.write_text("".join(f"{name} A\n" for name in names))
    return path


def private_questions(bench, count=NAMES):
    step = 7919
    return questions(bench, f"questions-{count}", [f"h{number * step % count}.{ORIGIN}" for number in range(min(count, 200_000))])


# MARK: Servers


def floor(name, program, *arguments):
    """A C program that makes only the necessary system calls."""

    def start(bench):
        port = free_port()
        folder = bench.scratch / f"{name}-{port}"
        folder.mkdir()
        return bench.start(name, [bench.programs[program], ADDRESS, port, *arguments], port, folder)

    return start


echo = floor("echo", "echo")
stream_echo = floor("stream-echo", "stream_echo")


def zonal(bench, zone=None, upstream=None):
    port = free_port()
    kind = "zonal-private" if zone else "zonal-forward"
    folder = bench.configure(kind, port=port, upstream=upstream)
    if zone:
        (folder / f"{ORIGIN}.zone").write_text(zone)
    return bench.start("zonal", [bench.zonal, "serve", "--config", "zonal.yaml"], port, folder)


def nsd(bench, zone, core=None, name="nsd"):
    port = free_port()
    folder = bench.configure("nsd", port=port)
    (folder / "zone").write_text(f"$ORIGIN {ORIGIN}.\n" + zone)
    extra = {} if core is None else {"core": core}
    return bench.start(name, ["nsd", "-d", "-c", folder / "nsd.conf"], port, folder, **extra)


def knot(bench, zone):
    port = free_port()
    folder = bench.configure("knot", port=port)
    (folder / "zone").write_text(f"$ORIGIN {ORIGIN}.\n" + zone)
    return bench.start("knot", ["knotd", "-c", folder / "knot.conf"], port, folder)


def named_zone(bench, zone):
    port = free_port()
    folder = bench.configure("bind-private", port=port)
    (folder / "zone").write_text(f"$ORIGIN {ORIGIN}.\n" + zone)
    return bench.start("bind", ["named", "-f", "-n", "1", "-c", folder / "named.conf"], port, folder)


def unbound_zone(bench, zone):
    port = free_port()
    folder = bench.configure("unbound-private", port=port)
    (folder / "zone").write_text(f"$ORIGIN {ORIGIN}.\n" + zone)
    return bench.start("unbound", ["unbound", "-d", "-c", folder / "unbound.conf"], port, folder)


def forwarder(name, command):
    """A server of Benchmarks/configurations/NAME that forwards to `upstream`."""

    def start(bench, upstream):
        port = free_port()
        host, upstream_port = upstream.split(":")
        folder = bench.configure(name, port=port, control=free_port(), upstream=upstream, upstream_host=host, upstream_port=upstream_port)
        return bench.start(name, [str(word).replace("@folder@", str(folder)) for word in command], port, folder)

    return start


FORWARDERS = {
    "unbound": forwarder("unbound", ["unbound", "-d", "-c", "unbound.conf"]),
    "bind": forwarder("bind", ["named", "-f", "-n", "1", "-c", "@folder@/named.conf"]),
    "recursor": forwarder("recursor", ["pdns_recursor", "--config-dir=@folder@"]),
    "knot-resolver": forwarder("knot-resolver", ["kresd", "-n", "-c", "@folder@/kresd.conf", "@folder@"]),
    "dnsdist": forwarder("dnsdist", ["dnsdist", "--supervised", "--disable-syslog", "-C", "@folder@/dnsdist.conf"]),
    "dnsmasq": forwarder("dnsmasq", ["dnsmasq", "-k", "-C", "@folder@/dnsmasq.conf"]),
}


# MARK: Works


def chosen(subjects, only):
    return {name: make for name, make in subjects.items() if not only or name in only}


def rounds(bench, subjects, measure):
    """Starts every subject in turn, round after round; returns the results of `measure` by name."""
    found = {name: [] for name in subjects}
    for _ in range(bench.rounds):
        for name, make in subjects.items():
            server = make(bench)
            try:
                found[name].append(measure(name, server))
            finally:
                server.stop()
    return found


def ratios(bench, subjects, queries, only, ready, floors=None, **options):
    """Loads every subject in turn; returns medians of the ratio to the round's first floor, by default the echo."""
    floors = floors or {"echo": echo}
    names = list(floors)

    def measure(_, server):
        server.wait(encode(ready))
        asked = queries(bench, server.name) if callable(queries) else queries
        bench.load(server, asked, seconds=0.5, **options)
        return bench.load(server, asked, **options)

    found = rounds(bench, {**floors, **chosen(subjects, only)}, measure)

    def ratio(runs, name):
        return statistics.median(run["us"] / base["us"] for run, base in zip(runs, found[name]))

    rows = {}
    for name, runs in found.items():
        rows[name] = [
            ratio(runs, names[0]),
            statistics.median(run["us"] for run in runs),
            int(statistics.median(run["qps"] for run in runs)),
            sum(run["lost"] for run in runs),
            sum(run["bad"] for run in runs),
            *(ratio(runs, name) for name in names[1:]),
        ]
    columns = [f"ratio to the {names[0]}", "us/answer", "answers/s", "lost", "no NOERROR"]
    columns += [f"ratio to the {name}" for name in names[1:]]
    return {"columns": columns, "rows": rows, "ratios": True}


def private(bench, only, **options):
    zone = private_zone()
    subjects = {
        "zonal": lambda bench: zonal(bench, zone=zone),
        "nsd": lambda bench: nsd(bench, zone),
        "knot": lambda bench: knot(bench, zone),
        "bind": lambda bench: named_zone(bench, zone),
        "unbound": lambda bench: unbound_zone(bench, zone),
    }
    return ratios(bench, subjects, private_questions(bench), only, f"h1.{ORIGIN}", **options)


def private_tcp(bench, only):
    return private(bench, only, floors={"stream-echo": stream_echo}, mode="tcp", clients=50)


def upstream_zone():
    return private_zone(CACHED) + "*.miss A 198.51.100.1\n"


def forwarded(bench, only, queries, has_relay=False):
    """Every forwarder in front of one NSD on the load's core; with `has_relay`, also a bare relay."""
    upstream = nsd(bench, upstream_zone(), core=LOAD_CORE, name="upstream")
    upstream.wait(encode(f"h1.{ORIGIN}"))
    try:
        place = f"{ADDRESS}:{upstream.port}"
        subjects = {"zonal": lambda bench: zonal(bench, upstream=place)}
        for name, start in FORWARDERS.items():
            subjects[name] = lambda bench, start=start: start(bench, place)
        floors = {"echo": echo, "relay": floor("relay", "relay", upstream.port)} if has_relay else None
        return ratios(bench, subjects, queries, only, f"h1.{ORIGIN}", floors)
    finally:
        upstream.stop()


def cached(bench, only):
    names = questions(bench, "cached", [f"h{number * 7 % CACHED}.{ORIGIN}" for number in range(CACHED)])
    return forwarded(bench, only, names)


def missed(bench, only):
    counter = iter(range(1_000_000))

    def fresh(bench, name):
        series = next(counter)
        return questions(bench, "missed", [f"x{series}-{number:x}.miss.{ORIGIN}" for number in range(1_500_000)])

    return forwarded(bench, only, fresh, has_relay=True)


def million_servers():
    zone = private_zone(1_000_000)
    return {
        "zonal": lambda bench: zonal(bench, zone=zone),
        "nsd": lambda bench: nsd(bench, zone),
        "knot": lambda bench: knot(bench, zone),
    }


def million(bench, only):
    """1,000,000 names of three addresses: memory after load, time to the first answer, ratio."""
    queries = private_questions(bench, 1_000_000)

    def measure(_, server):
        seconds = server.wait(encode(f"h1.{ORIGIN}"))
        bench.load(server, queries, seconds=0.5)
        run = bench.load(server, queries)
        return run["us"], seconds, server.memory(), run["lost"] + run["bad"]

    found = rounds(bench, {"echo": echo, **chosen(million_servers(), only)}, measure)
    rows = {}
    for name, runs in found.items():
        each = [run[0] / base[0] for run, base in zip(runs, found["echo"])]
        columns = [statistics.median(each)] + [statistics.median(column) for column in list(zip(*runs))[:3]]
        rows[name] = columns + [sum(run[3] for run in runs)]
    return {"columns": ["ratio to the echo", "us/answer", "s to first answer", "MiB", "lost or bad"], "rows": rows, "ratios": True}


def among_ordinary_threads(work):
    """The work without the real-time class that `chrt` may have set.

    In that class nice values have no effect, and a thread keeps a shared core for 100 ms at a time."""

    def ordinary(bench, only):
        before = os.sched_getscheduler(0), os.sched_getparam(0)
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        try:
            return work(bench, only)
        finally:
            os.sched_setscheduler(0, *before)

    return ordinary


def reload(bench, only):
    """The 99th percentile of the latency at half load, without and with a reload of 1,000,000 names."""
    queries = private_questions(bench, 1_000_000)

    def measure(_, server):
        server.wait(encode(f"h1.{ORIGIN}"))
        half = bench.load(server, queries)["qps"] / 2
        calm = bench.latency(server, queries, half, 8)
        for path in server.folder.glob("*zone"):
            path.write_text(path.read_text().replace(" 1 1h 15m", " 2 1h 15m"))
        busy = bench.latency(server, queries, half, 16, meanwhile=server.hang_up)
        return busy["p99"] / calm["p99"], calm["p99"], busy["p99"], busy["worst"], calm["lost"] + busy["lost"]

    found = rounds(bench, chosen(million_servers(), only), measure)
    rows = {}
    for name, runs in found.items():
        columns = list(zip(*runs))
        rows[name] = [statistics.median(column) for column in columns[:4]] + [sum(columns[4])]
    return {"columns": ["p99 with / without", "p99 ms without", "p99 ms with", "worst ms", "lost"], "rows": rows}


def fairness(bench, only):
    """The share of answered queries and the latency of one VPC while another VPC floods.

    The upstream answers after 100 ms, and never for the flood's names. The load is 1,000 queries a second, half of them misses.
    """
    place = free_port()
    upstream = bench.start("slow", [bench.programs["slow"], ADDRESS, place, 100], place, bench.scratch, core=LOAD_CORE)
    series = iter(range(1_000_000))
    rows = {}
    try:
        for listener in ("shared", "own"):
            for rate in (5_000, 50_000, 1_000_000):
                ports = {name: free_port() for name in ("port", "greedy", "modest")}
                folder = bench.configure("zonal-fairness", upstream=f"{ADDRESS}:{place}", **ports)
                server = bench.start("zonal", [bench.zonal, "serve", "--config", "zonal.yaml"], ports["port"], folder)
                own = listener == "own"
                try:
                    server.wait(encode(f"h1.{ORIGIN}"))
                    calm = modest_load(bench, server, next(series), ports["modest"] if own else ports["port"])
                    flood = bench.start("flood", [bench.programs["flood"], ADDRESS, ports["greedy"] if own else ports["port"], rate], 0, bench.scratch, core=LOAD_CORE)
                    try:
                        busy = modest_load(bench, server, next(series), ports["modest"] if own else ports["port"])
                    finally:
                        flood.stop()
                finally:
                    server.stop()
                share = [100 * run["good"] / (run["good"] + run["bad"] + run["lost"]) for run in (calm, busy)]
                most = "all it can" if rate == 1_000_000 else f"{rate}/s"
                rows[f"{listener} listener, flood of {most}"] = [busy["p99"] / calm["p99"], calm["p99"], busy["p99"], *share]
    finally:
        upstream.stop()
    return {"columns": ["p99 with / without", "p99 ms without", "p99 ms with", "% answered without", "% answered with"], "rows": rows}


def modest_load(bench, server, series, port):
    names = [f"h{number // 2 % 100}.{ORIGIN}" if number % 2 else f"n{series}-{number}.{ORIGIN}" for number in range(20_000)]
    return bench.latency(server, questions(bench, f"modest-{series}", names), 1000, 6, port=port, client="127.30.1.7")


ALL = {
    "private": private,
    "cached": cached,
    "missed": missed,
    "private-tcp": private_tcp,
    "million": million,
    "reload": among_ordinary_threads(reload),
    "fairness": among_ordinary_threads(fairness),
}
