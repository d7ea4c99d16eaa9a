"""What is run: pgbench, COPY through psql, and clients that do nothing."""

import re
import resource
import socket
import struct
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from .candidates import COPY_BYTES, USER
from .processes import Failure


@dataclass(frozen=True)
class Pgbench:
    """One pgbench command; arguments are pgbench's, script is SQL of our own."""

    name: str
    title: str
    clients: int
    arguments: tuple = ()
    script: str = ""
    database: str = "bench"
    log_share: float = 1.0

    def run(self, postgres, port, child, seconds):
        """Runs for that many seconds; tps, latencies in ms, and the CPU microseconds of child per transaction."""
        with tempfile.TemporaryDirectory(dir=postgres.folder) as folder:
            command = ["-n", "-c", str(self.clients), "-j", "2", "-T", str(seconds), *self.arguments,
                       "--log", f"--log-prefix={folder}/log", f"--sampling-rate={self.log_share}"]
            if self.script:
                (Path(folder) / "script.sql").write_text(self.script)
                command += ["-f", f"{folder}/script.sql"]
            before = child.cpu_seconds() if child else 0
            done = postgres.run("pgbench", *command, self.database, port=port)
            cpu = child.cpu_seconds() - before if child else 0
            latencies = sorted(int(line.split()[2]) / 1000 for log in Path(folder).glob("log.*")
                               for line in log.read_text().splitlines())
        transactions = int(found(r"actually processed: (\d+)", done.stdout))
        if int(found(r"failed transactions: (\d+)", done.stdout)) or not transactions or not latencies:
            raise Failure(f"{self.name}: pgbench had failed or no transactions: {done.stderr.strip()[-400:]}")
        figures = {f"p{p}": latencies[min(len(latencies) - 1, len(latencies) * p // 100)] for p in (50, 95, 99)}
        figures |= {"rate": float(found(r"tps = ([\d.]+)", done.stdout)), "transactions": transactions}
        return figures | ({"cpu": cpu * 1e6 / transactions} if child else {})


@dataclass(frozen=True)
class Copy:
    """100 MB by psql, in or out, again and again until the round's seconds are over."""

    name: str
    title: str
    command: str
    prepare: str = "SELECT 1"

    def run(self, postgres, port, child, seconds):
        """Copies per second and the CPU microseconds of child per copy; the input is written at first use."""
        source = postgres.folder / "copy.txt"
        if not source.exists():
            source.write_bytes((b"x" * 99 + b"\n") * (COPY_BYTES // 100))
        elapsed, cpu, copies = 0, 0, 0
        while elapsed < seconds:
            postgres.sql(self.prepare)
            before, start = child.cpu_seconds() if child else 0, time.monotonic()
            postgres.run("psql", "-c", self.command.format(source=source), "bench", port=port)
            elapsed += time.monotonic() - start
            cpu += child.cpu_seconds() - before if child else 0
            copies += 1
        return {"rate": copies / elapsed, "transactions": copies} | ({"cpu": cpu * 1e6 / copies} if child else {})


def found(pattern, text):
    match = re.search(pattern, text)
    if not match:
        raise Failure(f"pgbench's report has no '{pattern}': {text[-400:]}")
    return match.group(1)


def select(mode, clients):
    return Pgbench(f"{mode}-{clients}", f"-S {mode}, {clients} clients", clients, ("-S", "-M", mode), log_share=0.1)


def hot(mode, clients):
    """The same thousand reads again and again."""
    return Pgbench(f"hot-{mode}-{clients}", f"1,000 hot keys, {mode}, {clients} clients", clients, ("-M", mode),
                   script="\\set aid random(1, 1000)\nSELECT abalance FROM pgbench_accounts WHERE aid = :aid;\n",
                   log_share=0.1)


def once(mode, clients):
    """Reads of the same statement of which no two are equal."""
    return Pgbench(f"once-{mode}-{clients}", f"no read twice, {mode}, {clients} clients", clients, ("-M", mode),
                   script="\\set aid random(1, 100000)\n\\set salt random(1000, 2000000000)\n"
                          "SELECT abalance FROM pgbench_accounts WHERE aid = :aid AND bid < :salt;\n",
                   log_share=0.1)


LOAD = [
    *(select(mode, clients) for clients in (16, 64) for mode in ("simple", "extended", "prepared")),
    *(hot(mode, clients) for clients in (16, 64) for mode in ("simple", "extended", "prepared")),
    *(once(mode, 16) for mode in ("simple", "extended", "prepared")),
    Pgbench("tpcb-16", "TPC-B prepared, 16 clients", 16, ("-M", "prepared")),
    Pgbench("rows-16", "1,000 rows of 100 bytes, 16 clients", 16, script="SELECT v FROM result_rows;\n"),
    Pgbench("value-16", "1 MB bytea, 16 clients", 16, script="SELECT v FROM big_value;\n"),
    Pgbench("connect-16", "connect (trust) and select, 16 clients", 16, ("-C", "-S")),
    Pgbench("scram-16", "connect with SCRAM and select, 16 clients", 16, ("-C", "-S"), database="scram"),
    Copy("copy-out", "COPY out, 100 MB", r"\copy copy_source TO /dev/null"),
    Copy("copy-in", "COPY in, 100 MB", r"\copy copy_sink FROM '{source}'", "TRUNCATE copy_sink"),
]
OF_CACHE = [workload.name for workload in LOAD if workload.name.startswith(("hot-", "once-"))]
IDLE = "idle"
IDLE_CLIENTS = (1000, 5000)


def idle_memory(child):
    """Resident bytes of a fresh proxy with 0 clients, then with 1,000 and 5,000 that logged in and do nothing."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < max(IDLE_CLIENTS) + 100:
        raise Failure(f"{max(IDLE_CLIENTS)} idle clients need more open files than {soft}: raise the hard limit "
                      f"({hard}) with ulimit -Hn.")
    clients, resident = [], {0: child.resident_bytes()}
    try:
        for wanted in IDLE_CLIENTS:
            while len(clients) < wanted:
                clients.append(log_in(child.port))
            time.sleep(1)
            resident[wanted] = child.resident_bytes()
    finally:
        for client in clients:
            client.close()
    return resident


def log_in(port):
    """A client by hand: StartupMessage 3.0, then every message up to ReadyForQuery (Z)."""
    client = socket.create_connection(("127.0.0.1", port), timeout=30)
    parameters = f"user\0{USER}\0database\0bench\0\0".encode()
    client.sendall(struct.pack("!ii", 8 + len(parameters), 196608) + parameters)
    received, position = b"", 0
    while True:
        while len(received) < position + 5 or len(received) < position + 1 + length_at(received, position):
            chunk = client.recv(8192)
            if not chunk:
                raise Failure(f"The server on port {port} closed an idle client during its login: {received[-200:]!r}")
            received += chunk
        kind = received[position:position + 1]
        if kind == b"Z":
            return client
        if kind == b"E":
            raise Failure(f"The server on port {port} refused an idle client: {received[position + 5:]!r}")
        position += 1 + length_at(received, position)


def length_at(received, position):
    return struct.unpack_from("!i", received, position + 1)[0]
