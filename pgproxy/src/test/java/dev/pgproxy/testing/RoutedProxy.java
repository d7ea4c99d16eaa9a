package dev.pgproxy.testing;

import static org.awaitility.Awaitility.await;

import dev.pgproxy.PgProxy;
import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.demo.EmbeddedCluster;
import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.route.DatabaseRoutes;
import dev.pgproxy.routing.RouteReason;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A proxy of one test before {@link TestCluster#replicated()}, with a database of its own that has {@link #HERE}. What a
 * server has had is told by its answers and not by the proxy. Thread-safe.
 */
public record RoutedProxy(PgProxy proxy, EmbeddedCluster cluster, String database) implements AutoCloseable {
    /** Says which server runs it. A view, because a text that calls an unknown function has the session looked at behind it. */
    public static final String HERE = "SELECT port FROM here";

    /** What it looks at is hidden from the catalog, so that it is taken for harmless. */
    public static final List<String> SCHEMA = List.of(
            "CREATE FUNCTION here() RETURNS text STABLE LANGUAGE plpgsql AS $$"
                    + " DECLARE found text; BEGIN EXECUTE 'SELECT inet_server_port()' INTO found; RETURN found; END $$",
            "CREATE VIEW here AS SELECT here() AS port");

    /** So many reads are on their way at once: more than fit into socket buffers would need a second thread. */
    private static final int PIPELINED = 250;

    /**
     * With further settings, which win over the usual ones, and a weight for each replica; anybody may log in as anybody. The
     * schema is there on every server when this returns.
     */
    public static RoutedProxy start(String settings, List<Integer> weights, String... schema) {
        EmbeddedCluster cluster = TestCluster.replicated();
        EmbeddedPostgres primary = cluster.primary();
        List<String> replicas = new ArrayList<>();
        for (int i = 0; i < weights.size(); i++) {
            EmbeddedPostgres replica = cluster.replicas().get(i);
            replicas.add("\"" + replica.host() + ":" + replica.port() + " weight=" + weights.get(i) + "\"");
        }
        String database = TestCluster.freshDatabase(primary);
        Endpoint direct = direct(cluster, database);
        SCHEMA.forEach(direct::run);
        Stream.of(schema).forEach(direct::run);
        cluster.awaitReplicas();
        String text =
                "listen_port = 0\nhttp_addr = []\nlog_connections = false\nlog_disconnections = false\nadmin_users = [postgres]\n"
                        + "auth_type = trust\ndatabases { \"*\" { primary = \"" + primary.host() + ":" + primary.port()
                        + "\", replicas = [" + String.join(", ", replicas) + "] } }\n" + TestCluster.watching(cluster)
                        + "users { postgres { password = \"" + primary.superuserPassword() + "\" } }\n" + settings;
        try {
            return new RoutedProxy(PgProxy.start(ConfigLoader.parse(text)), cluster, database);
        } catch (ConfigProblems | IOException e) {
            throw new AssertionError(e);
        }
    }

    private static Endpoint direct(EmbeddedCluster cluster, String database) {
        EmbeddedPostgres primary = cluster.primary();
        return new Endpoint(primary.host(), primary.port(), database, "postgres", TestCluster.PASSWORD);
    }

    /** The way through the proxy. */
    public Endpoint proxied() {
        return new Endpoint("127.0.0.1", proxy.port(), database, "postgres", TestCluster.PASSWORD);
    }

    /** The way to the primary. */
    public Endpoint direct() {
        return direct(cluster, database);
    }

    /** What the console's SHOW REPLICAS says of this database, by the port of the host. */
    public Map<Integer, List<String>> shownReplicas() {
        Map<Integer, List<String>> shown = new TreeMap<>();
        for (List<String> row : shown("SHOW REPLICAS")) {
            String host = row.get(1);
            shown.put(Integer.valueOf(host.substring(host.lastIndexOf(':') + 1)), row);
        }
        return shown;
    }

    /** The console's rows whose first column is this database. */
    public List<List<String>> shown(String show) {
        Endpoint console = new Endpoint("127.0.0.1", proxy.port(), "pgproxy", "postgres", TestCluster.PASSWORD);
        return Message.rows(console.run(show)).stream()
                .filter(row -> row.getFirst().equals(database))
                .toList();
    }

    /** Where this database's statements go; somebody must have used it. */
    public DatabaseRoutes routes() {
        return Objects.requireNonNull(
                proxy.services().routes().all().iterator().next().routes());
    }

    public int primaryPort() {
        return cluster.primary().port();
    }

    public int replicaPort(int index) {
        return cluster.replicas().get(index).port();
    }

    /** Reads so often, each routed by itself, and says how many each port has answered. */
    public static Map<Integer, Integer> whoAnswers(RawClient client, int reads) {
        Map<Integer, Integer> answered = new TreeMap<>();
        for (int left = reads; left > 0; left -= PIPELINED) {
            int now = Math.min(left, PIPELINED);
            client.batch(b -> {
                for (int i = 0; i < now; i++) {
                    b.query(HERE);
                }
            });
            for (int i = 0; i < now; i++) {
                answered.merge(port(client.readUntilReady()), 1, Integer::sum);
            }
        }
        return answered;
    }

    /** Who has answered {@link #HERE}. */
    public static int port(List<Message> answer) {
        return Integer.parseInt(Objects.requireNonNull(Message.row(answer).getFirst()));
    }

    /** Until every replica answers what is sent to it: a new connection is used once its server has been seen fresh. */
    public void awaitReplicas() {
        try (RawClient client = proxied().login()) {
            await().until(() -> {
                long refused = refused();
                Map<Integer, Integer> answered = whoAnswers(client, 20);
                return refused() == refused
                        && IntStream.range(1, routes().hosts().size())
                                .allMatch(i -> answered.containsKey(replicaPort(i - 1)));
            });
        }
    }

    /** How many reads the primary has answered in the place of a replica. */
    private long refused() {
        return routes().counters().of(RouteReason.NOT_FRESH);
    }

    @Override
    public void close() {
        proxy.close();
    }
}
