package dev.pgproxy.demo;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * One PostgreSQL server on 127.0.0.1 in a data directory of its own, as a child process that ends with the JVM. Thread-safe.
 */
public final class EmbeddedPostgres {
    /** The address that every server listens on. */
    public static final String HOST = "127.0.0.1";

    /** The superuser that initdb makes. */
    public static final String SUPERUSER = "postgres";

    private static final Duration START_LIMIT = Duration.ofSeconds(60);
    private static final Duration STOP_LIMIT = Duration.ofSeconds(20);
    private static final Duration POLL = Duration.ofMillis(10);

    /** postmaster.pid, line 8: what the postmaster is up to (miscadmin.h, LOCK_FILE_LINE_PM_STATUS). */
    private static final int STATUS_LINE = 7;

    private static final int LOG_TAIL = 12;

    private final String name;
    private final Path dataDirectory;
    private final Path log;
    private final PostgresBinaries binaries;
    private final ServerAccount account;
    private final String superuserPassword;

    private int port;
    private @Nullable WatchedProcess process;
    private String stalePidFile = "";

    EmbeddedPostgres(Path dataDirectory, PostgresBinaries binaries, ServerAccount account, String superuserPassword) {
        this.name = dataDirectory.getFileName().toString();
        this.dataDirectory = dataDirectory;
        this.log = dataDirectory.resolveSibling(name + ".log");
        this.binaries = binaries;
        this.account = account;
        this.superuserPassword = superuserPassword;
    }

    /** {@code primary}, {@code replica_1} …: the directory, the slot and the application_name of its replication. */
    public String name() {
        return name;
    }

    public String host() {
        return HOST;
    }

    public synchronized int port() {
        return port;
    }

    public String superuserPassword() {
        return superuserPassword;
    }

    public Path dataDirectory() {
        return dataDirectory;
    }

    public String jdbcUrl(String database) {
        return "jdbc:postgresql://" + HOST + ":" + port() + "/" + database;
    }

    /** A direct connection as the superuser. */
    public Connection connect(String database) throws SQLException {
        return connect(SUPERUSER, superuserPassword, database);
    }

    /** A direct connection as any user. */
    public Connection connect(String user, String password, String database) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", user);
        properties.setProperty("password", password);
        return DriverManager.getConnection(jdbcUrl(database), properties);
    }

    /** The postmaster's process id while it runs. */
    public OptionalLong pid() {
        return isRunning() ? pidIn(pidFile()) : OptionalLong.empty();
    }

    public synchronized boolean isRunning() {
        return process != null && process.isAlive();
    }

    /** Starts the server and waits until it accepts connections. */
    public void start() {
        launch();
        awaitReady();
    }

    /** Starts the server without waiting. */
    synchronized void launch() {
        if (isRunning()) {
            throw new IllegalStateException(name + " is running");
        }
        try {
            refuseIfInUse();
            if (!Files.exists(log)) {
                // statements stand in it
                Files.createFile(
                        log, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            }
            process = WatchedProcess.start(
                    account,
                    dataDirectory,
                    List.of(
                            binaries.program("postgres").toString(),
                            "-D",
                            dataDirectory.toString(),
                            "-p",
                            Integer.toString(port)),
                    log);
        } catch (IOException e) {
            throw new ClusterException("PostgreSQL (" + name + ") cannot be started: " + Reasons.of(e) + ".", e);
        }
    }

    /** A server killed a moment ago leaves backends and shared memory for an instant: the start is tried again meanwhile. */
    synchronized void awaitReady() {
        long deadline = System.nanoTime() + START_LIMIT.toNanos();
        WatchedProcess current = launched();
        while (!isReady()) {
            boolean ended = current.awaitExit(POLL);
            boolean late = System.nanoTime() - deadline > 0;
            if (ended && !late && logTail().contains("is still in use")) {
                launch();
                current = launched();
            } else if (ended || late) {
                throw new ClusterException("PostgreSQL (" + name + ", port " + port + ") "
                        + (ended ? "ended while it started" : "was not ready in time") + "; its log ends:\n"
                        + logTail());
            }
        }
    }

    private WatchedProcess launched() {
        if (process == null) {
            throw new IllegalStateException(name + " was not started");
        }
        return process;
    }

    /** Disconnects all clients, writes a checkpoint and ends ({@code pg_ctl stop -m fast}). */
    public void stop() {
        end("INT");
    }

    /** Ends without a checkpoint; the next start recovers ({@code pg_ctl stop -m immediate}). */
    public void stopImmediately() {
        end("QUIT");
    }

    /** Kills the postmaster with SIGKILL: a crash, stale postmaster.pid and all. */
    public void kill9() {
        end("KILL");
    }

    private synchronized void end(String signal) {
        signal(signal);
        awaitStopped();
    }

    /** Sends a signal to the postmaster, if it runs, without waiting. */
    synchronized void signal(String signal) {
        if (process != null) {
            process.signal(signal);
        }
    }

    synchronized void awaitStopped() {
        if (process == null) {
            return;
        }
        if (!process.awaitExit(STOP_LIMIT)) {
            process.signal("QUIT");
            if (!process.awaitExit(STOP_LIMIT)) {
                process.signal("KILL");
                process.awaitExit(STOP_LIMIT);
            }
        }
        process = null;
    }

    /** Stops if need be, and starts on the same port. */
    public synchronized void restart() {
        stop();
        start();
    }

    /** Reads the configuration files again. */
    public void reload() {
        signal("HUP");
    }

    /** The port of the next start. */
    synchronized void assignPort(int newPort) {
        port = newPort;
    }

    boolean portWasTaken() {
        return logTail().contains("could not bind");
    }

    private boolean isReady() {
        String content = pidFile();
        List<String> lines = content.lines().toList();
        if (content.equals(stalePidFile) || lines.size() <= STATUS_LINE) {
            return false;
        }
        return lines.get(STATUS_LINE).strip().equals("ready");
    }

    /** Throws if the last server in this directory still runs, started by whomever. */
    synchronized void refuseIfInUse() throws IOException {
        stalePidFile = pidFile();
        OptionalLong pid = pidIn(stalePidFile);
        if (pid.isEmpty()
                || !ProcessHandle.of(pid.getAsLong())
                        .map(ProcessHandle::isAlive)
                        .orElse(false)) {
            return;
        }
        String program =
                ProcessHandle.of(pid.getAsLong()).orElseThrow().info().command().orElse("postgres");
        if (program.contains("postgres")) {
            throw new ClusterException("The data directory " + dataDirectory + " is in use by process "
                    + pid.getAsLong() + "; stop that server first.");
        }
        // the number belongs to a stranger now; PostgreSQL itself would refuse to start because of him
        Files.delete(dataDirectory.resolve("postmaster.pid"));
    }

    private static OptionalLong pidIn(String pidFile) {
        return pidFile.lines().limit(1).mapToLong(Long::parseLong).findFirst();
    }

    private String pidFile() {
        try {
            return Files.readString(dataDirectory.resolve("postmaster.pid"), StandardCharsets.UTF_8);
        } catch (NoSuchFileException e) {
            return "";
        } catch (IOException e) {
            throw new ClusterException(
                    "The state of PostgreSQL (" + name + ") cannot be read: " + Reasons.of(e) + ".", e);
        }
    }

    private String logTail() {
        try {
            List<String> lines = new String(Files.readAllBytes(log), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
            return String.join("\n", lines.subList(Math.max(0, lines.size() - LOG_TAIL), lines.size()));
        } catch (IOException e) {
            return "(no log: " + Reasons.of(e) + ")";
        }
    }

    @Override
    public String toString() {
        return name + " " + HOST + ":" + port();
    }
}
