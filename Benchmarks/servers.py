"""The compared servers: their configuration, their start, and their resource use."""

import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import tempfile
import time

SERVER_CORE = 0
LOAD_CORE = 1
ADDRESS = "127.0.0.1"
# An address in the VPC of the private names. Peers without views answer all clients.
CLIENT = "127.20.1.7"
ORIGIN = "bench.example"


def free_port():
    """A port that is free for UDP and TCP."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream:
            stream.bind((ADDRESS, 0))
            port = stream.getsockname()[1]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram:
                try:
                    datagram.bind((ADDRESS, port))
                    return port
                except OSError:
                    continue


class Server:
    """A running server, pinned to its core."""

    def __init__(self, name, command, port, log, core=SERVER_CORE, folder=None):
        self.name = name
        self.port = port
        self.folder = folder
        self.started = time.monotonic()
        self.log = open(log, "wb")
        pinned = ["taskset", "-c", str(core)] + command
        self.process = subprocess.Popen(
            pinned, stdout=self.log, stderr=self.log, cwd=folder, start_new_session=True
        )

    def processes(self):
        """The server's process and its child processes."""
        session = os.getsid(self.process.pid)
        found = []
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    if os.getsid(int(entry)) == session:
                        found.append(int(entry))
                except OSError:
                    pass
        return found

    def microseconds(self):
        """CPU time of all threads so far."""
        total = 0
        for process in self.processes():
            try:
                for task in os.listdir(f"/proc/{process}/task"):
                    with open(f"/proc/{process}/task/{task}/schedstat") as file:
                        total += int(file.read().split()[0])
            except OSError:
                pass
        return total / 1000

    def memory(self):
        """Resident MiB; pages that processes share count once."""
        total = 0
        for process in self.processes():
            try:
                with open(f"/proc/{process}/smaps_rollup") as file:
                    total += int(re.search(r"^Pss:\s+(\d+)", file.read(), re.M).group(1))
            except OSError:
                pass
        return total / 1024

    def wait(self, question, seconds=600):
        """Waits for the first answer; returns the seconds since the start."""
        message = bytes.fromhex("123401000001000000000000") + question
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.bind((CLIENT, 0))
            client.settimeout(0.02)
            while time.monotonic() - self.started < seconds:
                if self.process.poll() is not None:
                    break
                try:
                    client.sendto(message, (ADDRESS, self.port))
                    answer = client.recv(65535)
                    if self.name in ("echo", "stream-echo") or (answer[3] & 15 == 0 and answer[7] > 0):
                        return time.monotonic() - self.started
                except OSError:
                    pass
        raise RuntimeError(f"{self.name} does not answer: {pathlib.Path(self.log.name).read_text()[-2000:]}")

    def hang_up(self):
        """Requests a reload."""
        os.kill(self.process.pid, signal.SIGHUP)

    def stop(self):
        for process in self.processes():
            try:
                os.kill(process, signal.SIGKILL)
            except OSError:
                pass
        self.process.wait()
        self.log.close()


def encode(name, number=1):
    """A question section: the name, a type, class IN."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return labels + b"\0" + number.to_bytes(2, "big") + b"\0\1"


class Bench:
    """Shared by all works: scratch space, the echo, dnsperf."""

    def __init__(self, scratch, sources, options):
        self.scratch = scratch
        self.sources = sources
        self.zonal = pathlib.Path(options.zonal).resolve()
        self.rounds = options.rounds
        self.seconds = options.seconds
        self.programs = {name: self.compile(name) for name in ("echo", "stream_echo", "relay", "slow", "flood")}

    def compile(self, name):
        """Builds Benchmarks/NAME.c; returns the program's path."""
        subprocess.run(["cc", "-O2", "-o", self.scratch / name, self.sources / f"{name}.c"], check=True)
        return self.scratch / name

    def configure(self, name, **values):
        """Fills the placeholders of Benchmarks/configurations/NAME; returns the folder of the result."""
        folder = self.scratch / f"{name}-{random.randrange(1 << 40):x}"
        folder.mkdir()
        for template in (self.sources / "configurations" / name).iterdir():
            text = template.read_text()
            for key, value in dict(values, folder=folder, address=ADDRESS).items():
                text = text.replace(f"@{key}@", str(value))
            (folder / template.name).write_text(text)
        os.chmod(folder, 0o777)
        return folder

    def start(self, name, command, port, folder, core=SERVER_CORE):
        return Server(name, [str(word) for word in command], port, folder / "log", core, folder)

    def load(self, server, queries, mode="udp", clients=10, outstanding=100, rate=None, seconds=None, options=()):
        """Loads the server for some seconds; returns CPU microseconds per answer, answers per second, and dnsperf's output."""
        command = ["taskset", "-c", str(LOAD_CORE), "dnsperf", "-s", ADDRESS, "-p", str(server.port)]
        command += ["-a", CLIENT, "-d", str(queries), "-m", mode, "-c", str(clients)]
        command += ["-q", str(outstanding), "-l", str(seconds or self.seconds), "-t", "2", *options]
        if rate:
            command += ["-Q", str(int(rate))]
        before = server.microseconds()
        result = subprocess.run(command, capture_output=True, text=True)
        used = server.microseconds() - before
        text = result.stdout
        answered = int(re.search(r"Queries completed:\s+(\d+)", text).group(1))
        lost = int(re.search(r"Queries lost:\s+(\d+)", text).group(1))
        bad = sum(int(n) for code, n in re.findall(r"(\w+) (\d+) \(", text.split("Response codes:")[-1].split("\n")[0]) if code != "NOERROR")
        rate = float(re.search(r"Queries per second:\s+([\d.]+)", text).group(1))
        return {"us": used / max(answered, 1), "qps": rate, "lost": lost, "bad": bad, "text": text}

    def latency(self, server, queries, rate, seconds, meanwhile=None, port=None, client=CLIENT):
        """Sends queries at a steady rate.

        Returns the 99th percentile and the maximum of the latency in milliseconds, and the number of queries that were
        answered with NOERROR, answered otherwise, or lost."""
        command = ["taskset", "-c", str(LOAD_CORE), "dnsperf", "-s", ADDRESS, "-p", str(port or server.port), "-a", client]
        command += ["-d", str(queries), "-c", "10", "-q", "1000", "-l", str(seconds), "-t", "2", "-Q", str(int(rate)), "-v"]
        with tempfile.TemporaryFile("w+") as output:
            load = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL)
            if meanwhile:
                time.sleep(1)
                meanwhile()
            load.wait()
            output.seek(0)
            times, lost, good = [], 0, 0
            for line in output:
                if line.startswith("> "):
                    words = line.split()
                    if words[1] == "T":
                        lost += 1
                    else:
                        times.append(float(words[-1]))
                        good += words[1] == "NOERROR"
        times.sort()
        return {
            "p99": times[len(times) * 99 // 100] * 1000,
            "worst": times[-1] * 1000,
            "lost": lost,
            "good": good,
            "bad": len(times) - good,
        }
