package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.demo.ClusterOptions;
import dev.pgproxy.demo.EmbeddedCluster;
import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.server.ServerState;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.RoutedProxy;
import dev.pgproxy.testing.TestCluster;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A cluster with two replicas for each test, and a proxy that watches it. */
abstract class FailoverCase {
    static final String READ = "SELECT count(*) FROM t";

    private @Nullable EmbeddedCluster cluster;
    private @Nullable PgProxy proxy;

    ClusterOptions options() {
        return ClusterOptions.temporary().withReplicas(2);
    }

    @BeforeEach
    void begin() {
        cluster = EmbeddedCluster.start(options(), line -> {});
        direct(primary()).run("CREATE TABLE t (id int PRIMARY KEY)");
        RoutedProxy.SCHEMA.forEach(direct(primary())::run);
        cluster.awaitReplicas();
    }

    @AfterEach
    void end() {
        if (proxy != null) {
            proxy.close();
        }
        Objects.requireNonNull(cluster).close();
    }

    PgProxy proxy() {
        return Objects.requireNonNull(proxy);
    }

    EmbeddedPostgres primary() {
        return Objects.requireNonNull(cluster).primary();
    }

    EmbeddedPostgres replica(int index) {
        return Objects.requireNonNull(cluster).replicas().get(index);
    }

    static Endpoint direct(EmbeddedPostgres server) {
        return new Endpoint(server.host(), server.port(), "postgres", "postgres", server.superuserPassword());
    }

    Endpoint proxied() {
        int port = proxy().port();
        return new Endpoint("127.0.0.1", port, "postgres", "postgres", primary().superuserPassword());
    }

    /** Before anybody knows who the primary is. */
    void startUnseen(String settings) throws ConfigProblems, IOException {
        proxy = PgProxy.start(configuration(settings));
    }

    void start(String settings) throws ConfigProblems, IOException {
        startUnseen(settings);
        try (RawClient client = proxied().login()) { // until it is known who the primary is
            await().until(() -> {
                client.query(READ).readUntilReady();
                return proxy().services().routes().all().stream().allMatch(state -> state.catalog() != null);
            });
        }
    }

    ProxyConfig configuration(String settings) throws ConfigProblems {
        EmbeddedCluster all = Objects.requireNonNull(cluster);
        return ConfigLoader.parse(
                "listen_port = 0\nhttp_addr = []\nlog_connections = false\nlog_disconnections = false\n"
                        + "auth_type = trust\nadmin_users = [postgres]\ncache_mode = on\ndatabases { \"*\" { primary = \""
                        + primary().host()
                        + ":" + primary().port() + "\", " + TestCluster.replicasOf(all) + " } }\n"
                        + TestCluster.watching(all) + "users { postgres { password = \""
                        + primary().superuserPassword() + "\" } }\n" + settings);
    }

    static void write(RawClient client, int id) {
        assertThat(client.query("INSERT INTO t VALUES (" + id + ")").readUntilReady())
                .noneMatch(message -> message.type() == 'E');
    }

    static List<Integer> ids(EmbeddedPostgres server) {
        return Message.rows(direct(server).run("SELECT id FROM t ORDER BY id")).stream()
                .map(row -> Integer.valueOf(Objects.requireNonNull(row.getFirst())))
                .toList();
    }

    List<List<@Nullable String>> console(String command) {
        int port = proxy().port();
        return Message.rows(new Endpoint("127.0.0.1", port, "pgproxy", "postgres", "").run(command));
    }

    /** Until no session has a server, or is looked at behind its first statement: who has one when it ends hears so. */
    void awaitIdle() {
        await().until(() -> proxy().pools().all().stream()
                .flatMap(pool -> pool.servers().stream())
                .allMatch(server -> server.state() == ServerState.IDLE));
    }

    /**
     * Until no server is left there: what is sent in the same moment may fail with it, or still be carried out, as backends
     * outlive a postmaster that was killed.
     */
    void awaitNoServers() {
        await().until(() -> proxy().pools().all().stream()
                .allMatch(pool -> pool.key().replica() != null || pool.servers().isEmpty()));
    }

    /** When replicas have all that was written and no client has a server, and until nothing of it is left. */
    void killThePrimary() {
        awaitReplay();
        awaitIdle();
        primary().kill9();
        awaitNoServers();
    }

    void awaitReplay() {
        Objects.requireNonNull(cluster).awaitReplicas();
    }

    static int acknowledgedSoFar(List<Integer> acknowledged) {
        synchronized (acknowledged) {
            return acknowledged.size();
        }
    }

    static void awaitWrites(List<Integer> acknowledged, int count) {
        await().until(() -> acknowledgedSoFar(acknowledged) >= count);
    }

    /** One row after the other, each with a number of its own, over a new connection where one was lost. */
    void writeUntil(AtomicBoolean over, List<Integer> acknowledged, List<Integer> unknown) {
        RawClient client = proxied().login();
        for (int id = 1; !over.get(); id++) {
            List<Message> answer =
                    client.query("INSERT INTO t VALUES (" + id + ")").readUntilReady();
            boolean isDone = answer.stream().anyMatch(message -> message.type() == 'C');
            synchronized (acknowledged) {
                (isDone ? acknowledged : unknown).add(id);
            }
            if (!answer.getLast().isReady()) { // the connection was lost
                client.close();
                client = proxied().login();
            }
        }
        client.close();
    }

    static String failure(RawClient client) {
        client.query("INSERT INTO t VALUES (99)");
        return error(client);
    }

    static String error(RawClient client) {
        Message error = client.readMessage();
        while (error.type() != 'E') {
            error = client.readMessage();
        }
        return error.field('C') + ": " + error.field('M');
    }

    /** Writes on and on, and takes down what was acknowledged. */
    final class Writer implements AutoCloseable {
        private final AtomicBoolean over = new AtomicBoolean();
        final List<Integer> acknowledged = new ArrayList<>();
        final List<Integer> unknown = new ArrayList<>();
        private final Thread thread = new Thread(() -> writeUntil(over, acknowledged, unknown));

        Writer() {
            thread.start();
        }

        void awaitMore(int writes) {
            awaitWrites(acknowledged, acknowledgedSoFar(acknowledged) + writes);
        }

        @Override
        public void close() throws InterruptedException {
            over.set(true);
            thread.join();
        }
    }
}
