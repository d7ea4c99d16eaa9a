"""What is compared: PostgreSQL itself, PgBouncer, and pgproxy on io_uring or epoll, all on loopback."""

import os
import pwd
import re
import secrets
import signal
import subprocess
import time
from pathlib import Path

from .processes import Child, Failure, executable, free_port, pgproxy_launcher, suite_home

USER = "bench"
HBA = ("host scram all 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n"
       "host replication all 127.0.0.1/32 trust\n")
POOL_SIZE = 20
MAX_CLIENTS = 6000
COPY_BYTES = 100_000_000

SCHEMA = f"""
CREATE TABLE result_rows AS SELECT repeat('x', 100) AS v FROM generate_series(1, 1000);
CREATE TABLE big_value (v bytea);
ALTER TABLE big_value ALTER v SET STORAGE EXTERNAL;
INSERT INTO big_value SELECT string_agg(decode(md5(i::text), 'hex'), '' ORDER BY i) FROM generate_series(1, 65536) i;
CREATE TABLE copy_source AS SELECT repeat('x', 99) AS v FROM generate_series(1, {COPY_BYTES // 100});
CREATE UNLOGGED TABLE copy_sink (v text);
VACUUM ANALYZE;
"""


def unprivileged():
    """How Popen starts a server that refuses to run as root; nothing where we are not root."""
    if os.geteuid() != 0:
        return {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = known.get("postgres") or known.get("nobody")
    if not entry:
        raise Failure("PostgreSQL does not run as root, and there is neither a user postgres nor nobody to run it as.")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def write(path, text):
    path.write_text(text)
    if os.geteuid() == 0:
        os.chown(path, unprivileged()["user"], -1)
    return path


class Postgres:
    """PostgreSQL 15 of its own in a folder of its own, with pgbench's tables and ours; direct is a candidate too.
    Database scram asks for SCRAM-SHA-256, every other trusts."""

    def __init__(self, folder, scale):
        self.folder, self.scale, self.port, self.password = folder, scale, free_port(), secrets.token_hex(12)
        self.child = None
        places = filter(None, [os.environ.get("PG_BINDIR"), "/usr/lib/postgresql/15/bin"])
        places = [Path(place) for place in places]
        hint = "install postgresql-15 (Debian: apt install postgresql-15), or give its folder in $PG_BINDIR"
        self.tools = {name: executable(name, hint, *(place / name for place in places))
                      for name in ("initdb", "postgres", "psql", "pgbench", "pg_basebackup")}
        self.replica = None
        version = subprocess.run([self.tools["postgres"], "--version"], text=True, capture_output=True).stdout.strip()
        if " 15." not in version:
            raise Failure(f"PostgreSQL 15 is needed for figures that compare, but {self.tools['postgres']} is {version}.")
        self.version = re.sub(r"^postgres \(PostgreSQL\) (\S+).*", r"\1", version)

    def start(self):
        user, data = unprivileged(), self.folder / "data"
        init = subprocess.run([self.tools["initdb"], "-D", data, "-U", USER, "--no-locale", "-E", "UTF8", "-A", "trust"],
                              cwd=self.folder, text=True, capture_output=True, **user)
        if init.returncode:
            raise Failure(f"initdb failed: {init.stderr.strip()}")
        with open(data / "postgresql.conf", "a") as conf:
            conf.write(f"listen_addresses = '127.0.0.1'\nport = {self.port}\nunix_socket_directories = ''\n"
                       "max_connections = 300\nshared_buffers = 256MB\nmax_wal_size = 8GB\ncheckpoint_timeout = 1d\n"
                       "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nautovacuum = off\n")
        write(data / "pg_hba.conf", HBA)
        self.child = Child("PostgreSQL", [self.tools["postgres"], "-D", data], self.port, self.folder / "postgresql.log",
                           user, {"HOME": str(self.folder)}, signal.SIGINT).await_port()
        while self.run("psql", "-c", "SELECT 1", "postgres", check=False).returncode:
            self.child.check()
            time.sleep(0.1)
        self.sql(f"ALTER ROLE {USER} PASSWORD '{self.password}'", "CREATE DATABASE bench", database="postgres")
        self.run("pgbench", "-i", "-q", "-s", str(self.scale), "bench")
        self.sql(*SCHEMA.strip().splitlines())
        self.sql("CREATE DATABASE scram TEMPLATE bench", database="postgres")
        verifier = self.sql(f"SELECT rolpassword FROM pg_authid WHERE rolname = '{USER}'").strip()
        self.userlist = f'"{USER}" "{verifier}"\n'
        return self

    def start_replica(self):
        """A streaming replica on a port of its own."""
        self.replica_port, data = free_port(), self.folder / "replica"
        copied = subprocess.run([self.tools["pg_basebackup"], "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-R",
                                 "-X", "stream", "-c", "fast", "-D", data], cwd=self.folder, text=True,
                                capture_output=True, **unprivileged())
        if copied.returncode:
            raise Failure(f"pg_basebackup failed: {copied.stderr.strip()[-400:]}")
        with open(data / "postgresql.conf", "a") as conf:
            conf.write(f"port = {self.replica_port}\n")
        self.replica = Child("the replica", [self.tools["postgres"], "-D", data], self.replica_port,
                             self.folder / "replica.log", unprivileged(), {"HOME": str(self.folder)},
                             signal.SIGINT).await_port()

    def close(self):
        for child in filter(None, [self.replica, self.child]):
            child.close()

    def sql(self, *statements, database="bench"):
        commands = [argument for statement in statements for argument in ("-c", statement)]
        return self.run("psql", "-At", *commands, database).stdout

    def run(self, tool, *arguments, port=None, check=True):
        """psql or pgbench as the benchmark's user."""
        strict = ["-X", "-q", "-v", "ON_ERROR_STOP=1"] if tool == "psql" else []
        done = subprocess.run([self.tools[tool], *strict, "-h", "127.0.0.1", "-p", str(port or self.port), "-U", USER,
                               *arguments], text=True, capture_output=True, stdin=subprocess.DEVNULL,
                              env={**os.environ, "PGPASSWORD": self.password})
        if check and done.returncode:
            raise Failure(f"{tool} on port {port or self.port} failed: {done.stderr.strip()[-400:]}")
        return done


class PgBouncer:
    """PgBouncer in transaction mode with prepared statements."""

    def __init__(self):
        self.program = executable("pgbouncer", "run env/up of the suites, or apt install pgbouncer, or give its path in "
                                  "$PGBOUNCER", os.environ.get("PGBOUNCER"), suite_home() / "env/pgbouncer/pgbouncer")
        self.version = subprocess.run([self.program, "--version"], text=True, capture_output=True).stdout.splitlines()[0]

    def start(self, folder, postgres):
        port = free_port()
        conf = write(folder / "pgbouncer.ini", f"""[databases]
* = host=127.0.0.1 port={postgres.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = hba
auth_hba_file = {write(folder / "pgbouncer-hba", HBA)}
auth_file = {write(folder / "pgbouncer-users", postgres.userlist)}
pool_mode = transaction
default_pool_size = {POOL_SIZE}
max_prepared_statements = 200
max_client_conn = {MAX_CLIENTS}
""")
        return Child("PgBouncer", [self.program, conf], port, folder / "pgbouncer.log", unprivileged()).await_port()


class PgProxy:
    """pgproxy in transaction mode, on one transport; under a name of its own also with reads on a replica, or with other
    settings. $PGPROXY_JAVA_OPTS reaches its JVM."""

    def __init__(self, transport, name=None, replica=False, settings="cache_mode = off"):
        self.transport, self.replica, self.settings, self.launcher = transport, replica, settings, pgproxy_launcher()
        self.name = name or transport
        asked = subprocess.run([self.launcher, "--version"], text=True, capture_output=True)
        self.version = asked.stdout.strip().splitlines()[0] if asked.stdout.strip() else "unknown"

    def start(self, folder, postgres):
        port, name, replicas = free_port(), self.name, ""
        if self.replica:
            replicas = f', replicas = ["127.0.0.1:{postgres.replica_port}"]'
        write(folder / f"{name}.hba", HBA)
        write(folder / f"{name}.users", postgres.userlist)
        conf = write(folder / f"{name}.conf", f"""listen_addr = "127.0.0.1"
listen_port = {port}
transport = {self.transport}
databases {{ "*" {{ primary = "127.0.0.1:{postgres.port}"{replicas} }} }}
control_user = {USER}
auth_type = hba
auth_hba_file = "{name}.hba"
auth_file = "{name}.users"
pool_mode = transaction
default_pool_size = {POOL_SIZE}
max_prepared_statements = 200
max_client_conn = {MAX_CLIENTS}
{self.settings}
""")
        return Child(f"pgproxy ({name})", [self.launcher, "run", "-c", conf], port,
                     folder / f"{name}.log").await_port()


class Pgpool:
    """Pgpool-II with its query cache in shared memory. Its children are all that it uses CPU for."""

    name = "pgpool"

    def __init__(self):
        self.program = executable("pgpool", "apt install pgpool2, or give its path in $PGPOOL", os.environ.get("PGPOOL"),
                                  Path("/usr/sbin/pgpool"))
        asked = subprocess.run([self.program, "--version"], text=True, capture_output=True)
        self.version = (asked.stderr or asked.stdout).strip().splitlines()[0]

    def start(self, folder, postgres):
        port, oids = free_port(), folder / "pgpool-oids"
        oids.mkdir()
        if os.geteuid() == 0:
            os.chown(oids, unprivileged()["user"], -1)
        conf = write(folder / "pgpool.conf", f"""backend_clustering_mode = 'raw'
listen_addresses = '127.0.0.1'
port = {port}
socket_dir = '{folder}'
pcp_listen_addresses = ''
pcp_socket_dir = '{folder}'
pcp_port = {free_port()}
wd_ipc_socket_dir = '{folder}'
logdir = '{folder}'
pid_file_name = '{folder}/pgpool.pid'
backend_hostname0 = '127.0.0.1'
backend_port0 = {postgres.port}
backend_weight0 = 1
backend_flag0 = 'ALWAYS_PRIMARY|DISALLOW_TO_FAILOVER'
enable_pool_hba = off
num_init_children = 70
max_pool = 1
sr_check_period = 0
health_check_period = 0
memory_cache_enabled = on
memqcache_method = 'shmem'
memqcache_total_size = 256MB
memqcache_max_num_cache = 1000000
memqcache_oiddir = '{oids}'
""")
        user = unprivileged()
        return Child("Pgpool-II", [self.program, "-n", "-f", conf, "-F", write(folder / "pcp.conf", ""), "-a",
                     write(folder / "pool_hba.conf", "")], port, folder / "pgpool.log", user).await_port()


class Floor:
    """A server in C that answers every query with the same row: what a cached read cannot cost less than."""

    name, version = "floor", "floor"

    def start(self, folder, postgres):
        compiler = executable("cc", "install a C compiler (Debian: apt install gcc)")
        program, port = folder / "floor", free_port()
        subprocess.run([compiler, "-O2", "-o", program, Path(__file__).parent / "floor.c"], check=True)
        return Child("floor", [program, str(port)], port, folder / "floor.log").await_port()
