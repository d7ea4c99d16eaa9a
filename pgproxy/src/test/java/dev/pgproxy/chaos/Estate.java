package dev.pgproxy.chaos;

import dev.pgproxy.PgProxy;
import dev.pgproxy.cache.redis.TestRedis;
import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.demo.ClusterOptions;
import dev.pgproxy.demo.EmbeddedCluster;
import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.results.CacheReason;
import dev.pgproxy.route.DatabaseState;
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
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Three hosts of which each commits when one of the other two has it, a proxy that promotes, and a wire before each host
 * that can be tampered with: the proxy and the replicas know no other way. With a Redis each instance has its own wire to it.
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

    private final Layout layout;
    private final EmbeddedCluster cluster;
    private final List<EmbeddedPostgres> hosts;
    private final List<FaultyWire> wires = new ArrayList<>();
    private final @Nullable SmallWal smallWal;
    private final @Nullable TestRedis redis;
    private final List<FaultyWire> redisWires = new ArrayList<>();
    private final List<PgProxy> proxies = new ArrayList<>();

    private Estate(EmbeddedCluster cluster, Layout layout) throws IOException, ConfigProblems {
        this.layout = layout;
        this.cluster = cluster;
        this.hosts = new ArrayList<>(cluster.replicas());
        hosts.addFirst(cluster.primary());
        smallWal = layout.smallWal() ? SmallWal.of(hosts.getFirst()) : null;
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
        redis = layout.hasRedis() ? new TestRedis() : null;
        for (int i = 0; i < layout.proxies(); i++) {
            String shared = "";
            if (redis != null) {
                redisWires.add(new FaultyWire(redis.port()));
                shared = "redis_secret = \"of the estate alone\"\nredis_url = \"redis://127.0.0.1:"
                        + redisWires.getLast().port() + "\"\n";
            }
            proxies.add(PgProxy.start(ConfigLoader.parse(configuration() + shared)));
        }
    }

    private String configuration() {
        return "listen_port = 0\nhttp_addr = []\nlog_connections = false\nlog_disconnections = false\n"
                + "auth_type = trust\nadmin_users = [postgres]\nquery_wait_notify = 0\ncontrol_user = postgres\n"
                + "control_password = \"" + password() + "\"\nusers { postgres { password = \"" + password()
                + "\" } }\n"
                + "failover = " + (layout.promotes() ? "promote" : "follow") + "\nfailover_after = 1s\n"
                + "failover_wait = 20s\nhealth_interval = 1s\n" + (layout.cache() ? "cache_mode = on\n" : "")
                + "databases { \"*\" { primary = \"" + address(0) + "\", replicas = ["
                + IntStream.range(1, hosts.size())
                        .mapToObj(i -> "\"" + address(i) + "\"")
                        .collect(Collectors.joining(", "))
                + "] } }\n";
    }

    static Estate start(Layout layout) {
        ClusterOptions options = ClusterOptions.temporary()
                .withReplicas(2)
                .withSetting("wal_keep_size", "512MB")
                .withSetting("wal_receiver_timeout", "4s") // replication suffers from the wires too
                .withSetting("wal_sender_timeout", "4s");
        EmbeddedCluster cluster = EmbeddedCluster.start(options, line -> {});
        try {
            EmbeddedPostgres primary = cluster.primary();
            try (RawClient client = new Endpoint(
                            primary.host(), primary.port(), "postgres", "postgres", primary.superuserPassword())
                    .login()) {
                LedgerSession.SCHEMA.forEach(sql -> client.query(sql).readUntilReady());
            }
            cluster.awaitReplicas();
            return new Estate(cluster, layout);
        } catch (IOException | ConfigProblems e) {
            cluster.close();
            throw new AssertionError(e);
        } catch (IllegalStateException e) {
            cluster.close();
            throw e;
        }
    }

    private String synchronousFor(int host) {
        if (!layout.synchronous()) {
            return "";
        }
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

    Layout layout() {
        return layout;
    }

    /** Of the first host. */
    SmallWal smallWal() {
        return Objects.requireNonNull(smallWal);
    }

    TestRedis redis() {
        return Objects.requireNonNull(redis);
    }

    /** Between an instance and Redis. */
    FaultyWire redisWire(int instance) {
        return redisWires.get(instance);
    }

    /** Every wire is as if nothing had ever been. */
    void mend() {
        wires.forEach(FaultyWire::mend);
        redisWires.forEach(FaultyWire::mend);
    }

    /** Past the proxy and the wire. */
    Endpoint direct(int host) {
        return new Endpoint(hosts.get(host).host(), hosts.get(host).port(), "postgres", "postgres", password());
    }

    Endpoint proxied(int instance) {
        return new Endpoint("127.0.0.1", proxies.get(instance).port(), "postgres", "postgres", password());
    }

    private Stream<DatabaseState> databases() {
        return proxies.stream()
                .flatMap(proxy -> proxy.services().routes().all().stream())
                .filter(state -> state.database().name().equals("postgres"));
    }

    /** How many reads were answered from the cache. */
    long hits() {
        return databases()
                .mapToLong(state -> state.counts().of(CacheReason.HIT))
                .sum();
    }

    /** How many of them from what another instance, or the same, has put into Redis. */
    long redisHits() {
        return databases()
                .map(DatabaseState::instances)
                .filter(Objects::nonNull)
                .mapToLong(instances -> instances.tier().counters().hits())
                .sum();
    }

    private List<List<@Nullable String>> sql(int host, String text) {
        return Message.rows(direct(host).run(text));
    }

    String value(int host, String text) {
        return String.valueOf(sql(host, text).getFirst().getFirst());
    }

    /** What the console of an instance answers. */
    List<List<@Nullable String>> console(int instance, String command) {
        return Message.rows(proxied(instance).withDatabase("pgproxy").run(command));
    }

    /** Moves the primary to another host, as an operator does; what the console says. */
    String switchover(int host) {
        try (RawClient console = proxied(0).withDatabase("pgproxy").login()) {
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

    /** Whether two hosts follow the primary, each instance has reads for both, and all know of each other. */
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
        return streaming && IntStream.range(0, proxies.size()).allMatch(this::hasReplicas) && isServing();
    }

    private boolean hasReplicas(int instance) {
        return console(instance, "SHOW REPLICAS").stream()
                        .filter(row -> row.contains("replica"))
                        .count()
                == hosts.size() - 1;
    }

    /** Whether nothing that is known of other instances keeps results from being served. */
    private boolean isServing() {
        return databases().allMatch(DatabaseState::knowsOfAll);
    }

    /**
     * A host that takes writes beside the primary, as it was cut off or has come back, gets some of its own and begins anew as
     * a replica, as a person would have it.
     *
     * @param ledger hears of the writes that only such a host has
     */
    void takeInStrays(Ledger ledger) {
        int primary = primary();
        for (int i = 0; i < hosts.size(); i++) {
            if (i != primary && takesWrites(i)) {
                lost(i, primary)
                        .forEach(row -> ledger.lost(
                                Integer.parseInt("" + row.getFirst()), Integer.parseInt("" + row.getLast())));
                try (RawClient stray = direct(i).login()) {
                    stray.query("SET synchronous_commit = local; CREATE TABLE stray AS SELECT generate_series(1, 1000)")
                            .readUntilReady();
                }
                hosts.get(i).stopImmediately();
                rejoin(i);
            }
        }
    }

    /**
     * The writes, by session and number, that a host which was left behind has and whose commits are behind the point where the
     * primary's timeline has left its own: what PostgreSQL itself has lost, and all of it.
     */
    private List<List<@Nullable String>> lost(int stray, int primary) {
        String timeline = value(stray, "SELECT substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)");
        String fork = value(
                primary,
                "SELECT (regexp_match(pg_read_file('pg_wal/' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)"
                        + " || '.history'), '(?:^|\\n)" + Integer.parseInt(timeline, 16) + "\\t(\\S+)'))[1]");
        try (RawClient client = direct(stray).login()) { // so that there is something behind it to read
            client.query("SET synchronous_commit = local; SELECT pg_logical_emit_message(true, 'end', '')")
                    .readUntilReady();
        }
        return sql(
                stray,
                "SELECT session, number FROM ledger WHERE xmin::text IN (SELECT xid::text FROM"
                        + " pg_get_wal_records_info('" + fork + "', pg_current_wal_flush_lsn())"
                        + " WHERE resource_manager = 'Transaction' AND record_type LIKE 'COMMIT%')");
    }

    /** Processes that send its WAL to replicas. */
    List<Long> walSenders(int host) {
        return sql(
                        host,
                        "SELECT pid FROM pg_stat_replication WHERE application_name IN ('" + String.join("', '", NAMES)
                                + "')")
                .stream()
                .map(row -> Long.valueOf("" + row.getFirst()))
                .toList();
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
    public void close() throws IOException {
        proxies.forEach(PgProxy::close);
        wires.forEach(FaultyWire::close);
        redisWires.forEach(FaultyWire::close);
        if (smallWal != null) {
            hosts.getFirst().stopImmediately();
            smallWal.close();
        }
        cluster.close();
        if (redis != null) {
            redis.close();
        }
    }
}
