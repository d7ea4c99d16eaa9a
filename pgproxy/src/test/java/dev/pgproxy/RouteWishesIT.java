package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.RoutedProxy;
import dev.pgproxy.testing.TestCluster;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a client wishes and asks about its routes: hints in comments and SET, the freshness token, EXPLAIN (ROUTE). */
final class RouteWishesIT {
    private static final String HERE = RoutedProxy.HERE;

    private final RoutedProxy routed = RoutedProxy.start(
            "consistency = eventual\nmax_replica_lag = 10 min\n",
            List.of(1, 1),
            "CREATE TABLE t (id int PRIMARY KEY, v int)",
            "INSERT INTO t VALUES (1, 0)",
            "CREATE SCHEMA other CREATE TABLE \"gr\u00f6\u00dfe\" (id int)");

    @AfterEach
    void stop() {
        TestCluster.resumeReplay(routed.cluster());
        routed.close();
    }

    private Endpoint proxied() {
        return routed.proxied();
    }

    private Endpoint direct() {
        return routed.direct();
    }

    private static @Nullable String value(RawClient client, String sql) {
        return Message.row(client.query(sql).readUntilReady()).getFirst();
    }

    private boolean isOnReplica(@Nullable String port) {
        return !String.valueOf(routed.primaryPort()).equals(port);
    }

    private void awaitReplicas(RawClient client) {
        await().until(() -> IntStream.range(0, 6).allMatch(i -> isOnReplica(value(client, HERE))));
    }

    private static Map<String, String> explained(List<Message> answer) {
        Map<String, String> said = new LinkedHashMap<>();
        for (List<@Nullable String> row : Message.rows(answer)) {
            said.put(Objects.requireNonNull(row.get(0)), Objects.requireNonNull(row.get(1)));
        }
        return said;
    }

    private static Map<String, String> explain(RawClient client, String sql) {
        return explained(client.query("EXPLAIN (ROUTE) " + sql).readUntilReady());
    }

    @Test
    void explainRouteAnswersInEachProtocol() {
        try (RawClient c = proxied().login()) {
            awaitReplicas(c);
            assertThat(explain(c, "SELECT v FROM t WHERE id = 1"))
                    .containsEntry("kind", "SELECT")
                    .containsEntry("reads", "public.t")
                    .containsEntry("route", "replica")
                    .containsEntry("reason", "fresh: a replica is fresh enough");
            assertThat(explain(c, "UPDATE t SET v = 1").get("reason")).startsWith("write:");
            assertThat(explain(c, "SELECT nextval('a''b\\c')").get("reason")).startsWith("session_state:");
            assertThat(explain(c, "SELECT FROM other.\"gr\u00f6\u00dfe\""))
                    .containsEntry("reads", "other.gr\u00f6\u00dfe");
            assertThat(explain(c, "SELECT (").get("reason")).startsWith("unparsed:");

            c.batch(b -> b.parse("s", "EXPLAIN (ROUTE) SELECT v FROM t WHERE id = $1 AND v < $2")
                    .parse("t", "SELECT 42")
                    .describeStatement("s")
                    .bind("", "s", "7", "8")
                    .execute("")
                    .bind("", "t")
                    .execute("")
                    .sync());
            var answer = c.readUntilReady();
            assertThat(Message.types(answer)).matches("11tT2D+C2DCZ");
            assertThat(answer.toString()).contains("public.t", "42");
            assertThat(Message.types(
                            c.query("EXPLAIN (ROUTE, ANALYZE) SELECT 1").readUntilReady()))
                    .isEqualTo("EZ");
        }
    }

    @Test
    void explainRouteKnowsItsSession() {
        try (RawClient c = proxied().login()) {
            awaitReplicas(c);
            assertThat(explain(c, "SELECT FROM \"gr\u00f6\u00dfe\"").get("reason"))
                    .startsWith("unknown_relation:");
            c.query("SET search_path = other").readUntilReady();
            assertThat(explain(c, "SELECT FROM \"gr\u00f6\u00dfe\"")).containsEntry("reads", "other.gr\u00f6\u00dfe");
            c.query("RESET search_path").readUntilReady();
            c.query("PREPARE p AS SELECT v FROM t").readUntilReady();
            assertThat(explain(c, "EXECUTE p")).containsEntry("reads", "public.t");
            // as in consistency = table: what other tests have written must have been replayed; and a transaction that
            // begins while the last statement's server is still being looked at begins there
            await().untilAsserted(() -> {
                c.query("ROLLBACK").readUntilReady();
                c.query("BEGIN").readUntilReady();
                assertThat(explain(c, "SELECT v FROM t")).containsEntry("route", "replica");
            });
            assertThat(explain(c, "SELECT now()").get("reason")).startsWith("transaction_bound:");
            c.query("UPDATE t SET v = 3").readUntilReady();
            assertThat(explain(c, "SELECT v FROM t").get("reason")).startsWith("transaction:");
            c.query("ROLLBACK").readUntilReady();
            c.query("SET pgproxy.route = 'primary'").readUntilReady();
            assertThat(explain(c, "SELECT v FROM t").get("reason")).startsWith("hint_primary:");
        }
    }

    @Test
    void explainRouteAnswersPgjdbc() throws SQLException {
        try (RawClient c = proxied().login()) {
            awaitReplicas(c);
        }
        String url = "jdbc:postgresql://127.0.0.1:" + routed.proxied().port() + "/" + routed.database();
        try (Connection connection = DriverManager.getConnection(url, "postgres", TestCluster.PASSWORD);
                PreparedStatement statement =
                        connection.prepareStatement("EXPLAIN (ROUTE) SELECT v FROM t WHERE id = ? AND v > ?")) {
            for (int i = 0; i < 10; i++) { // from the fifth on it is a named statement
                statement.setInt(1, i);
                statement.setLong(2, i);
                try (ResultSet rows = statement.executeQuery()) {
                    Map<String, String> said = new LinkedHashMap<>();
                    while (rows.next()) {
                        said.put(rows.getString("item"), rows.getString("value"));
                    }
                    assertThat(said).containsEntry("reads", "public.t").containsEntry("route", "replica");
                }
            }
        }
    }

    @Test
    void whatIsSetHoldsForAllStatements() {
        try (RawClient c = proxied().login()) {
            awaitReplicas(c);
            c.query("SET pgproxy.route = 'primary'").readUntilReady();
            for (int i = 0; i < 10; i++) {
                assertThat(isOnReplica(value(c, HERE))).isFalse();
            }
            await().until(() -> isOnReplica(value(c, "/* pgproxy: replica */ " + HERE)));
            assertThat(value(c, "SHOW pgproxy.route")).isEqualTo("primary");
            c.query("RESET pgproxy.route").readUntilReady();
            await().until(() -> isOnReplica(value(c, HERE)));
        }
    }

    @Test
    void aMistakeInWhatIsSetIsToldOnce() {
        try (RawClient c = proxied().login()) {
            var answer = c.query("SET pgproxy.route = 'primray'").readUntilReady();
            assertThat(Message.types(answer)).isEqualTo("NCZ");
            assertThat(answer.getFirst().field('M')).contains("pgproxy.route", "primray");
            assertThat(Message.types(c.query("SELECT 1").readUntilReady())).isEqualTo("TDCZ");
            answer = c.query("SET pgproxy.freshness = 'yesterday'").readUntilReady();
            assertThat(Message.types(answer)).matches("N{1,2}CZ");
            assertThat(answer.toString()).contains("pgproxy.freshness", "yesterday");
        }
    }

    @Test
    void startUpOptionsHint() throws SQLException {
        try (RawClient c = proxied().login()) {
            awaitReplicas(c);
        }
        String url = "jdbc:postgresql://127.0.0.1:" + routed.proxied().port() + "/" + routed.database()
                + "?options=-c%20pgproxy.route=primary";
        try (Connection connection = DriverManager.getConnection(url, "postgres", TestCluster.PASSWORD);
                Statement statement = connection.createStatement()) {
            for (int i = 0; i < 10; i++) {
                try (ResultSet row = statement.executeQuery(HERE)) {
                    row.next();
                    assertThat(isOnReplica(row.getString(1))).isFalse();
                }
            }
        }
    }

    @Test
    void aDefaultOfTheDatabaseHints() {
        try (RawClient c = proxied().login()) {
            awaitReplicas(c);
            c.query("ALTER DATABASE " + routed.database() + " SET pgproxy.route = 'primary'")
                    .readUntilReady();
            await().until(() -> "primary: hint_primary".equals(routeOf(c, HERE)));
            assertThat(isOnReplica(value(c, HERE))).isFalse();
        }
    }

    private static String routeOf(RawClient client, String sql) {
        Map<String, String> said = explain(client, sql);
        return said.get("route") + ": " + String.valueOf(said.get("reason")).replaceAll(":.*", "");
    }

    /** Drivers parse once and bind often, or parse the same text again and again. */
    @Test
    void aHintHoldsForEachExecution() {
        try (RawClient c = proxied().login()) {
            awaitReplicas(c);
            c.batch(b -> b.parse("s", "/* pgproxy: primary */ " + HERE).sync()).readUntilReady();
            for (int i = 0; i < 6; i++) {
                c.batch(b -> b.bind("", "s").execute("").sync());
                assertThat(isOnReplica(Message.row(c.readUntilReady()).getFirst()))
                        .isFalse();
                c.batch(b -> b.parse("", HERE + " /* pgproxy: primary */")
                        .bind("", "")
                        .execute("")
                        .sync());
                assertThat(isOnReplica(Message.row(c.readUntilReady()).getFirst()))
                        .isFalse();
            }
        }
    }

    /** One service writes, another reads; neither the proxy nor the reader's mode knows of the write. */
    @Test
    void whoeverSetsATokenReadsNothingOlder() {
        try (RawClient reader = proxied().login();
                RawClient writer = proxied().login();
                RawClient outside = direct().login()) {
            awaitReplicas(reader);
            TestCluster.pauseReplay(routed.cluster());
            outside.query("UPDATE t SET v = 9").readUntilReady();
            assertThat(value(reader, "SELECT v FROM t")).isEqualTo("0");
            String token = value(writer, "SHOW pgproxy.freshness");
            assertThat(token).matches("\\d+/\\d+/[0-9A-F]+/[0-9A-F]+");
            assertThat(Message.types(reader.query("SET pgproxy.freshness = '" + token + "'")
                            .readUntilReady()))
                    .isEqualTo("CZ");
            for (int i = 0; i < 10; i++) {
                assertThat(value(reader, "SELECT v FROM t")).isEqualTo("9");
            }
            assertThat(explain(reader, "SELECT v FROM t"))
                    .containsEntry("must have replayed", token)
                    .containsEntry("route", "primary");
            TestCluster.resumeReplay(routed.cluster());
            direct().run("CREATE TABLE more ()"); // whose end is behind the token
            await().until(() -> isOnReplica(value(reader, HERE)));
            assertThat(value(reader, "SELECT v FROM t")).isEqualTo("9");

            String elsewhere = Objects.requireNonNull(token).replaceFirst("^\\d", "1");
            reader.query("SET pgproxy.freshness = '" + elsewhere + "'").readUntilReady();
            assertThat(isOnReplica(value(reader, HERE))).isFalse();
        }
    }
}
