"""Child processes: found or refused in one sentence, measured through /proc, and never left behind."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PR_SET_PDEATHSIG = 1


class Failure(Exception):
    """Ends a command with exit code 2; its text is the one sentence that a person reads."""


def executable(name, hint, *places):
    """The first of places that can be executed, else name on the PATH."""
    for place in [*places, shutil.which(name)]:
        if place and os.access(place, os.X_OK):
            return str(place)
    raise Failure(f"{name} is not there: {hint}.")


def pgproxy_launcher():
    return executable("pgproxy", "expected bin/pgproxy in this repository, or its path in $PGPROXY",
                      os.environ.get("PGPROXY"), REPOSITORY / "bin/pgproxy")


def suite_home():
    """Where env/up of the suites builds PostgreSQL and PgBouncer."""
    return Path(os.environ.get("SUITE_HOME") or Path(tempfile.gettempdir()) / "pg-suites")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def listening(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Child:
    """A server we started. Its time and memory include its living descendants; kernel workers of io_uring (iou-wrk)
    are threads of the process, so its CPU clock counts them too."""

    def __init__(self, name, command, port, log, user=None, env=None, stop_signal=signal.SIGTERM):
        self.name, self.port, self.log, self.stop_signal = name, port, Path(log), stop_signal
        if listening(port):
            raise Failure(f"{name} cannot start: something else listens on port {port}.")
        libc = ctypes.CDLL(None)
        with open(log, "wb") as out:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
                env={**os.environ, **(env or {})}, cwd=self.log.parent, **(user or {}),
                preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, stop_signal))

    def await_port(self, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise Failure(f"{self.name} ended at start with exit code {self.process.returncode}; {self.last_words()}")
            if listening(self.port):
                return self
            time.sleep(0.05)
        raise Failure(f"{self.name} did not listen on port {self.port} within {seconds} s; {self.last_words()}")

    def last_words(self):
        lines = self.log.read_text(errors="replace").strip().splitlines()[-5:]
        return "its last words: " + " / ".join(lines) if lines else "it said nothing"

    def check(self):
        if self.process.poll() is not None:
            raise Failure(f"{self.name} died with exit code {self.process.returncode}; {self.last_words()}")

    def cpu_seconds(self):
        """User and system time so far, ended threads included: the CPU clock of each process, which is utime + stime of
        /proc/<pid>/stat in nanoseconds instead of ticks of 10 ms (its number: clock_getcpuclockid(3))."""
        return sum(time.clock_gettime(~pid << 3 | 2) for pid in self._family())

    def resident_bytes(self):
        return sum(int(fields[21]) for fields in self._family().values()) * os.sysconf("SC_PAGE_SIZE")

    def _family(self):
        """{pid: fields of /proc/<pid>/stat from the third (state) on} of the process and its descendants."""
        self.check()
        stats = {}
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                stats[int(entry)] = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
        family = {self.process.pid}
        while more := {pid for pid, fields in stats.items() if int(fields[1]) in family} - family:
            family |= more
        return {pid: stats[pid] for pid in family}

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
