package dev.pgproxy.demo;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/** A running PostgreSQL primary with streaming replicas, each with a replication slot of its own. Thread-safe. */
public final class EmbeddedCluster implements AutoCloseable {
    private static final Duration REPLICATION_LIMIT = Duration.ofSeconds(30);
    private static final Duration POLL = Duration.ofMillis(10);
    private static final int PORT_ATTEMPTS = 3;

    private final ClusterDirectory directory;
    private final EmbeddedPostgres primary;
    private final List<EmbeddedPostgres> replicas;

    private EmbeddedCluster(ClusterDirectory directory, List<EmbeddedPostgres> servers) {
        this.directory = directory;
        this.primary = servers.getFirst();
        this.replicas = List.copyOf(servers.subList(1, servers.size()));
    }

    /**
     * Unpacks, initialises and starts what is missing; returns when every replica streams.
     *
     * @param progress takes one line per step
     * @throws ClusterException with a sentence for the person who started it; nothing is left running
     */
    public static EmbeddedCluster start(ClusterOptions options, Consumer<String> progress) {
        PostgresBinaries binaries = PostgresBinaries.unpacked(progress);
        ClusterDirectory directory = ClusterDirectory.open(options.directory(), options.keep());
        try {
            EmbeddedCluster cluster = prepare(directory, options, binaries, progress);
            try {
                cluster.launch(options, progress);
                return cluster;
            } catch (ClusterException | IOException | SQLException e) {
                cluster.stop("QUIT");
                throw e;
            }
        } catch (ClusterException e) {
            directory.removeIfTemporary();
            throw e;
        } catch (IOException e) {
            directory.removeIfTemporary();
            throw new ClusterException(
                    "The cluster in " + directory.root() + " cannot be prepared: "
                            + Reasons.of(e).strip() + ".",
                    e);
        } catch (SQLException e) {
            directory.removeIfTemporary();
            throw new ClusterException("The cluster cannot be set up: " + e.getMessage() + ".", e);
        }
    }

    private static EmbeddedCluster prepare(
            ClusterDirectory directory, ClusterOptions options, PostgresBinaries binaries, Consumer<String> progress)
            throws IOException {
        ServerAccount account = ServerAccount.forDirectory(directory.server("primary"), binaries);
        String password = directory.password(options.password());
        List<EmbeddedPostgres> servers = new ArrayList<>();
        for (int i = 0; i <= options.replicas(); i++) {
            Path data = directory.root().resolve(i == 0 ? "primary" : "replica_" + i);
            servers.add(new EmbeddedPostgres(data, binaries, account, password));
        }
        servers.getFirst().refuseIfInUse();
        directory.adoptPromoted();
        if (!directory.isInitialised()) {
            progress.accept("initialising a database cluster in " + directory.root());
            directory.initialise(account, binaries, password);
        }
        directory.copyReplicas(
                servers.stream().skip(1).map(EmbeddedPostgres::name).toList(), account);
        return new EmbeddedCluster(directory, servers);
    }

    /** All at once: a replica waits for its primary by itself. Another program may take a port that was free a moment ago. */
    private void launch(ClusterOptions options, Consumer<String> progress) throws IOException, SQLException {
        progress.accept("starting PostgreSQL: a primary"
                + switch (replicas.size()) {
                    case 0 -> "";
                    case 1 -> " and a replica";
                    default -> " and " + replicas.size() + " replicas";
                });
        for (int attempt = 1; ; attempt++) {
            assignPorts(options.port());
            directory.configure(servers(), options.settings(), primary.superuserPassword());
            try {
                servers().forEach(EmbeddedPostgres::launch);
                primary.awaitReady();
                createSlots();
                replicas.forEach(EmbeddedPostgres::awaitReady);
                awaitReplicas();
                return;
            } catch (ClusterException e) {
                boolean taken = servers().stream().anyMatch(EmbeddedPostgres::portWasTaken);
                if (!taken || options.port() != 0 || attempt == PORT_ATTEMPTS) {
                    throw e;
                }
                stop("QUIT");
            }
        }
    }

    private void assignPorts(int first) throws IOException {
        List<ServerSocket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < servers().size(); i++) {
                int wanted = first == 0 ? 0 : first + i;
                try {
                    sockets.add(new ServerSocket(wanted, 1, InetAddress.getLoopbackAddress()));
                } catch (IOException e) {
                    throw new ClusterException(
                            "Port " + wanted + " on " + EmbeddedPostgres.HOST + " is already in use; choose another.",
                            e);
                }
                servers().get(i).assignPort(sockets.getLast().getLocalPort());
            }
        } finally {
            for (ServerSocket socket : sockets) {
                socket.close();
            }
        }
    }

    /** Slots of replicas that a former start had would keep WAL for ever. */
    private void createSlots() throws SQLException {
        try (Connection connection = primary.connect("postgres");
                Statement statement = connection.createStatement()) {
            List<String> present = new ArrayList<>();
            try (ResultSet slots = statement.executeQuery(
                    "SELECT slot_name FROM pg_replication_slots WHERE slot_name ~ '^replica_[0-9]+$'")) {
                while (slots.next()) {
                    present.add(slots.getString(1));
                }
            }
            List<String> wanted = replicas.stream().map(EmbeddedPostgres::name).toList();
            call(connection, "SELECT pg_drop_replication_slot(?)", present, wanted);
            call(connection, "SELECT pg_create_physical_replication_slot(?, true)", wanted, present);
        }
    }

    private static void call(Connection connection, String sql, List<String> names, List<String> except)
            throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (String name : names) {
                if (!except.contains(name)) {
                    statement.setString(1, name);
                    statement.execute();
                }
            }
        }
    }

    public EmbeddedPostgres primary() {
        return primary;
    }

    public List<EmbeddedPostgres> replicas() {
        return replicas;
    }

    /** The directory that holds everything of this cluster. */
    public Path directory() {
        return directory.root();
    }

    private List<EmbeddedPostgres> servers() {
        return IntStream.rangeClosed(0, replicas.size())
                .mapToObj(i -> i == 0 ? primary : replicas.get(i - 1))
                .toList();
    }

    /** Waits until every replica streams and has replayed what the primary has written until now. */
    public void awaitReplicas() {
        if (replicas.isEmpty()) {
            return;
        }
        long deadline = System.nanoTime() + REPLICATION_LIMIT.toNanos();
        try (Connection connection = primary.connect("postgres");
                PreparedStatement caughtUp = connection.prepareStatement("""
                        SELECT count(*) FROM pg_stat_replication
                        WHERE state = 'streaming' AND application_name ~ '^replica_[0-9]+$' AND replay_lsn >= ?::pg_lsn
                        """)) {
            try (Statement position = connection.createStatement();
                    ResultSet lsn = position.executeQuery("SELECT pg_current_wal_lsn()")) {
                lsn.next();
                caughtUp.setString(1, lsn.getString(1));
            }
            while (count(caughtUp) < replicas.size()) {
                if (System.nanoTime() - deadline > 0) {
                    throw new ClusterException(
                            "The replicas did not catch up in time; see the logs in " + directory() + ".");
                }
                LockSupport.parkNanos(POLL.toNanos());
            }
        } catch (SQLException e) {
            throw new ClusterException("The state of replication cannot be read: " + e.getMessage() + ".", e);
        }
    }

    private static int count(PreparedStatement query) throws SQLException {
        try (ResultSet result = query.executeQuery()) {
            result.next();
            return result.getInt(1);
        }
    }

    private void stop(String signal) {
        servers().forEach(server -> server.signal(signal));
        servers().forEach(EmbeddedPostgres::awaitStopped);
    }

    /** Stops every server; a directory made for this start only is removed. */
    @Override
    public void close() {
        stop(directory.removable() ? "QUIT" : "INT");
        directory.removeIfTemporary();
    }
}
