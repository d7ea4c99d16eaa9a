"""The services of a compose file without a Docker engine: each an overlay of this machine's files with what its image and
its volumes bring, in mount and network namespaces of its own, with names by DNS. As root, on Linux.

What an image would bring of other programs (their versions, their entry points) is this machine's and the caller's."""

import ctypes
import json
import os
import re
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

from .processes import Failure, REPOSITORY

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
NETWORK, GATEWAY = "10.231.0.", "10.231.0.1"


def sh(*command, **more):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise Failure(f"{shlex.join(map(str, command))[:200]} failed: {(done.stdout + done.stderr).strip()[-1500:]}")
    return done.stdout


def unshare(flags):
    """Of the one thread that there is so far, and of all children."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags) != 0:
        raise Failure(f"no namespaces: {os.strerror(ctypes.get_errno())}; run as root.")


def own_mounts():
    unshare(CLONE_NEWNS)
    sh("mount", "--make-rprivate", "/")


def own_network():
    """A bridge that only our containers are at; this process has the first address."""
    unshare(CLONE_NEWNET)
    sh("mkdir", "-p", "/run/netns")
    sh("mount", "-t", "tmpfs", "tmpfs", "/run/netns")
    for command in ("ip link set lo up", "ip link add services type bridge", f"ip addr add {GATEWAY}/24 dev services",
                    "ip link set services up"):
        sh(*command.split())


class Root:
    """A root of files that starts as this machine's; what is written there stays apart."""

    def __init__(self, folder):
        self.path = folder / "root"
        for name in ("upper", "work", "root"):
            (folder / name).mkdir(parents=True)
        folder.chmod(0o755)
        (folder / "upper").chmod(0o755)
        sh("mount", "-t", "overlay", "overlay", "-o", f"lowerdir=/,upperdir={folder}/upper,workdir={folder}/work", self.path)
        sh("mount", "--rbind", "/dev", self.path / "dev")
        sh("mount", "-t", "proc", "proc", self.path / "proc")

    def at(self, path):
        return self.path / str(path).lstrip("/")

    def close(self):
        sh("umount", "-R", "-l", self.path)


class Image:
    """A Dockerfile, as far as its instructions are plain."""

    def __init__(self, folder):
        self.folder = folder
        text = re.sub(r"(?m)^\s*#.*\n", "", (REPOSITORY / "Dockerfile").read_text()).replace("\\\n", " ")
        self.instructions = [line.split(None, 1) for line in text.splitlines() if line.strip()]
        self.user, self.entrypoint, self.command, self.health, self.stop_signal, self.ports = "0:0", [], [], None, None, []
        self.copies = []  # (folder, path) of the last stage

    def build(self, archive):
        """Runs the stages; with an archive, in place of what Maven would build."""
        stages, root, directory, name = {}, None, "/", None
        for word, rest in self.instructions:
            if word == "FROM":
                name = rest.split(" AS ")[1] if " AS " in rest else "last"
                root, directory = Root(self.folder / name), "/"
                stages[name] = root
                self.copies = []
            elif word == "WORKDIR":
                directory = rest
                root.at(directory).mkdir(parents=True)
            elif word == "COPY":
                options = [part for part in rest.split() if part.startswith("--")]
                source, target = [part for part in rest.split() if not part.startswith("--")]
                if options:
                    shutil.copytree(stages[options[0].removeprefix("--from=")].at(source), root.at(target), symlinks=True)
                    self.copies.append((root.at(target), target))
                else:
                    context(root.at(directory))
            elif word == "RUN":
                if archive and rest.startswith("mvn "):
                    (root.at(directory) / "pgproxy/target").mkdir()
                    shutil.copy(archive, root.at(directory) / "pgproxy/target")
                else:
                    sh("chroot", root.path, "sh", "-c", f"cd {shlex.quote(directory)} && {rest}")
            elif word == "HEALTHCHECK":
                self.health = json.loads(rest[rest.index("CMD ") + 4:])
            elif word == "USER":
                self.user = rest
            elif word == "EXPOSE":
                self.ports = [int(port) for port in rest.split()]
            elif word == "STOPSIGNAL":
                self.stop_signal = signal.Signals[rest]
            elif word in ("ENTRYPOINT", "CMD"):
                setattr(self, "entrypoint" if word == "ENTRYPOINT" else "command", json.loads(rest))
            else:
                raise Failure(f"the Dockerfile has an instruction {word}, which is not understood here.")
        return self


def context(target):
    """What .dockerignore leaves of the repository."""
    lines = [line.strip() for line in (REPOSITORY / ".dockerignore").read_text().splitlines()]
    excluded = []
    for line in lines:
        if line.startswith("**/"):
            excluded += ["--no-anchored", f"--exclude={line[3:]}"]
        elif line and not line.startswith("#"):
            excluded += ["--anchored", f"--exclude=./{line}"]
    sh("sh", "-c", f"{shlex.join(['tar', '-C', str(REPOSITORY), *excluded, '-cf', '-', '.'])} | tar -xf - -C {shlex.quote(str(target))}")


class Names(threading.Thread):
    """A name server for the names of services, as Docker's."""

    def __init__(self, addresses):
        super().__init__(daemon=True)
        self.addresses = addresses
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((GATEWAY, 53))

    def run(self):
        while True:
            question, sender = self.socket.recvfrom(512)
            end, labels = 12, []
            while question[end]:
                labels.append(question[end + 1:end + 1 + question[end]].decode())
                end += question[end] + 1
            end += 5
            kind = struct.unpack("!H", question[end - 4:end - 2])[0]
            address = self.addresses.get(".".join(labels))
            found = address and kind == 1
            head = question[:2] + struct.pack("!HHHHH", 0x8580 if address else 0x8583, 1, 1 if found else 0, 0, 0)
            answer = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 1, 4) + socket.inet_aton(address) if found else b""
            self.socket.sendto(head + question[12:end] + answer, sender)


class Container:
    """A service; may be started again, with the files that it has."""

    def __init__(self, name, address, folder):
        self.name, self.address, self.log = name, address, folder / "log"
        self.root = Root(folder)
        self.process = None
        sh("ip", "netns", "add", name)
        for command in (f"ip link add {name} type veth peer name eth0 netns {name}", f"ip link set {name} master services up",
                        f"ip -n {name} link set lo up", f"ip -n {name} addr add {address}/24 dev eth0",
                        f"ip -n {name} link set eth0 up"):
            sh(*command.split())
        for file, text in {"resolv.conf": f"nameserver {GATEWAY}\n", "hosts": f"127.0.0.1 localhost\n{address} {name}\n"}.items():
            path = self.root.at("etc") / file
            path.unlink(missing_ok=True)
            path.write_text(text)

    def copy(self, source, target):
        shutil.copytree(source, self.root.at(target), symlinks=True)

    def volume(self, source, target):
        path = self.root.at(target)
        path.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            path.mkdir(exist_ok=True)
        else:
            path.touch()
        sh("mount", "--bind", source, path)
        sh("mount", "-o", "remount,bind,ro", path)

    def read_only(self):
        sh("mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", self.root.at("tmp"))
        sh("mount", "-o", "remount,ro", self.root.path)

    def start(self, command, environment, user):
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", self.name, "chroot", f"--userspec={user}", "--groups=", str(self.root.path), *command],
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True, env=environment)
        return self

    def run(self, command, environment, user):
        """A command inside, such as a health check: whether it succeeded."""
        return subprocess.run(["ip", "netns", "exec", self.name, "chroot", f"--userspec={user}", "--groups=", str(self.root.path),
                               *command], env=environment, capture_output=True, timeout=30).returncode == 0

    def await_health(self, command, environment, user, seconds=120):
        end = time.monotonic() + seconds
        while not self.run(command, environment, user):
            if self.process.poll() is not None or time.monotonic() > end:
                raise Failure(f"{self.name} is not healthy; its last words: {' / '.join(self.words()[-8:])}")
            time.sleep(0.2)

    def words(self):
        return self.log.read_text(errors="replace").strip().splitlines()

    def stop(self, number, seconds):
        """As docker stop: what it ended with, None if it had to be killed."""
        self.process.send_signal(number)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def close(self):
        if self.process:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()
        self.root.close()
