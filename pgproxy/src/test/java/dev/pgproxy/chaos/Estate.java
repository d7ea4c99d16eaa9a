package dev.pgproxy.chaos;

import dev.pgproxy.PgProxy;
import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.demo.ClusterOptions;
import dev.pgproxy.demo.EmbeddedCluster;
import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Three hosts of which each commits when one of the other two has it, a proxy that promotes, and a wire before each host
 * that can be tampered with: the proxy and the replicas know no other way.
 */
final class Estate implements AutoCloseable {
    private static final List<String> NAMES = List.of("primary", "replica_1", "replica_2");

    /** All but what belongs to the server that it is copied from; a file that goes meanwhile is no mistake. */
    private static final String COPY = """
            rm -rf "$2"/*
            (cd "$1" && tar cf - --exclude=./pg_wal/* --exclude=./postmaster.* --exclude=./pg_replslot/* .) | tar xpf - -C "$2"
            rm -f "$2"/recovery.signal
            touch "$2"/standby.signal
            """;

    private static final String OWN = "chown --reference=\"$2\"/PG_VERSION \"$2\"/*";

    private final EmbeddedCluster cluster;
    private final List<EmbeddedPostgres> hosts;
    private final List<FaultyWire> wires = new ArrayList<>();
    private final PgProxy proxy;

    private Estate(EmbeddedCluster cluster, String settings) throws IOException, ConfigProblems {
        this.cluster = cluster;
        this.hosts = new ArrayList<>(cluster.replicas());
        hosts.addFirst(cluster.primary());
        for (EmbeddedPostgres host : hosts) {
            wires.add(new FaultyWire(host.port()));
        }
        for (int i = 0; i < hosts.size(); i++) {
            sql(i, "ALTER SYSTEM SET synchronous_standby_names = '" + synchronousFor(i) + "'");
            if (i > 0) {
                sql(i, "ALTER SYSTEM SET primary_conninfo = '" + follow(i, 0).replace("'", "''") + "'");
            }
            sql(i, "SELECT pg_reload_conf()");
        }
        proxy = PgProxy.start(
                ConfigLoader.parse("listen_port = 0\nlog_connections = false\nlog_disconnections = false\n"
                        + "auth_type = trust\nadmin_users = [postgres]\nquery_wait_notify = 0\ncontrol_user = postgres\n"
                        + "control_password = \"" + password() + "\"\nusers { postgres { password = \"" + password()
                        + "\" } }\n"
                        + "failover = promote\nfailover_after = 1s\nfailover_wait = 20s\nhealth_interval = 1s\n"
                        + "databases { \"*\" { primary = \"" + address(0) + "\", replicas = ["
                        + IntStream.range(1, hosts.size())
                                .mapToObj(i -> "\"" + address(i) + "\"")
                                .collect(Collectors.joining(", "))
                        + "] } }\n" + settings));
    }

    static Estate start(String settings) {
        ClusterOptions options = ClusterOptions.temporary()
                .withReplicas(2)
                .withSetting("wal_keep_size", "512MB")
                .withSetting("wal_receiver_timeout", "4s") // replication suffers from the wires too
                .withSetting("wal_sender_timeout", "4s");
        EmbeddedCluster cluster = EmbeddedCluster.start(options, line -> {});
        try {
            LedgerSession.SCHEMA.forEach(new Endpoint(
                    cluster.primary().host(),
                    cluster.primary().port(),
                    "postgres",
                    "postgres",
                    cluster.primary().superuserPassword())::run);
            cluster.awaitReplicas();
            return new Estate(cluster, settings);
        } catch (IOException | ConfigProblems e) {
            cluster.close();
            throw new AssertionError(e);
        }
    }

    private static String synchronousFor(int host) {
        return NAMES.stream()
                .filter(name -> !name.equals(NAMES.get(host)))
                .collect(Collectors.joining(", ", "ANY 1 (", ")"));
    }

    private String password() {
        return hosts.getFirst().superuserPassword();
    }

    private String follow(int host, int primary) {
        return "host=127.0.0.1 port=" + wires.get(primary).port() + " user=postgres password=" + password()
                + " application_name=" + NAMES.get(host);
    }

    private String address(int host) {
        return "127.0.0.1:" + wires.get(host).port();
    }

    int size() {
        return hosts.size();
    }

    EmbeddedPostgres host(int index) {
        return hosts.get(index);
    }

    FaultyWire wire(int index) {
        return wires.get(index);
    }

    PgProxy proxy() {
        return proxy;
    }

    /** Past the proxy and the wire. */
    Endpoint direct(int host) {
        return new Endpoint(hosts.get(host).host(), hosts.get(host).port(), "postgres", "postgres", password());
    }

    Endpoint proxied() {
        return new Endpoint("127.0.0.1", proxy.port(), "postgres", "postgres", password());
    }

    private List<List<@Nullable String>> sql(int host, String text) {
        return Message.rows(direct(host).run(text));
    }

    String value(int host, String text) {
        return String.valueOf(sql(host, text).getFirst().getFirst());
    }

    /** What the console answers. */
    List<List<@Nullable String>> console(String command) {
        return Message.rows(proxied().withDatabase("pgproxy").run(command));
    }

    /** Moves the primary to another host, as an operator does; what the console says. */
    String switchover(int host) {
        try (RawClient console = proxied().withDatabase("pgproxy").login()) {
            return Message.types(
                    console.query("SWITCHOVER \"" + address(host) + "\"").readUntilReady());
        }
    }

    /** The host that takes writes, the one of the last timeline if there are several; -1 if there is none. */
    int primary() {
        return IntStream.range(0, hosts.size())
                .filter(this::takesWrites)
                .boxed()
                .max(Comparator.comparing(i -> value(i, "SELECT pg_walfile_name(pg_current_wal_insert_lsn())")))
                .orElse(-1);
    }

    private boolean takesWrites(int host) {
        try {
            return hosts.get(host).isRunning()
                    && value(host, "SELECT pg_is_in_recovery()").equals("f");
        } catch (RuntimeException | AssertionError e) {
            return false; // it does not answer
        }
    }

    /** Whether two hosts follow the primary and the proxy has reads for both. */
    boolean isWhole() {
        int primary = primary();
        if (primary < 0) {
            return false;
        }
        boolean streaming = value(
                        primary,
                        "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND application_name IN ('"
                                + String.join("', '", NAMES) + "')")
                .equals(Integer.toString(hosts.size() - 1));
        long known = console("SHOW REPLICAS").stream()
                .filter(row -> row.contains("replica"))
                .count();
        return streaming && known == hosts.size() - 1;
    }

    /**
     * A host that takes writes beside the primary, as it was cut off or has come back, gets some of its own and begins anew as
     * a replica, as a person would have it.
     */
    void takeInStrays() {
        int primary = primary();
        for (int i = 0; i < hosts.size(); i++) {
            if (i != primary && takesWrites(i)) {
                try (RawClient stray = direct(i).login()) {
                    stray.query("SET synchronous_commit = local; CREATE TABLE stray AS SELECT generate_series(1, 1000)")
                            .readUntilReady();
                }
                hosts.get(i).stopImmediately();
                rejoin(i);
            }
        }
    }

    /** The server that does not run begins anew, as a copy of the primary that follows it. */
    void rejoin(int host) {
        int primary = primary();
        try (RawClient backup = direct(primary).login()) {
            backup.query("SELECT pg_backup_start('rejoin', true)").readUntilReady();
            Path to = hosts.get(host).dataDirectory();
            shell(COPY, hosts.get(primary).dataDirectory(), to);
            String label = String.valueOf(Message.row(backup.query("SELECT labelfile FROM pg_backup_stop(false)")
                            .readUntilReady())
                    .getFirst());
            Files.writeString(to.resolve("backup_label"), label);
            Files.writeString(
                    to.resolve("postgresql.auto.conf"),
                    "synchronous_standby_names = '" + synchronousFor(host)
                            + "'\nprimary_slot_name = ''\nprimary_conninfo = '" + follow(host, primary) + "'\n");
            shell(OWN, to, to);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        hosts.get(host).start();
    }

    private static void shell(String script, Path from, Path to) throws IOException {
        Process process = new ProcessBuilder("sh", "-c", script, "sh", from.toString(), to.toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        proxy.close();
        wires.forEach(FaultyWire::close);
        cluster.close();
    }
}
