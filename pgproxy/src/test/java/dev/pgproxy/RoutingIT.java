package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.demo.EmbeddedCluster;
import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.route.DatabaseRoutes;
import dev.pgproxy.routing.Host;
import dev.pgproxy.routing.RouteReason;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TestCluster;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Reads go to replicas, all else to the primary, and nobody can tell by the answers. */
final class RoutingIT {
    /** Says which server runs it; what it looks at is hidden from the catalog, so that it is taken for harmless. */
    private static final String HERE = "CREATE FUNCTION here() RETURNS text STABLE LANGUAGE plpgsql AS $$"
            + " DECLARE found text; BEGIN EXECUTE 'SELECT inet_server_port()' INTO found; RETURN found; END $$";

    private final EmbeddedCluster cluster = TestCluster.replicated();
    private final String database = TestCluster.freshDatabase(cluster.primary());
    private final PgProxy proxy = start();

    private PgProxy start() {
        EmbeddedPostgres primary = cluster.primary();
        try {
            return PgProxy.start(ConfigLoader.parse(
                    "listen_port = 0\nhttp_addr = []\nlog_connections = false\nlog_disconnections = false\n"
                            + "databases { \"*\" { primary = \"" + primary.host() + ":" + primary.port() + "\", "
                            + TestCluster.replicasOf(cluster) + " } }\n" + TestCluster.watching(cluster)
                            + "users { postgres { password = \"" + primary.superuserPassword() + "\" } }\n"));
        } catch (ConfigProblems | IOException e) {
            throw new AssertionError(e);
        }
    }

    @BeforeEach
    void prepare() {
        direct().run(HERE);
        direct().run("CREATE TABLE t (id int PRIMARY KEY, v int)");
        direct().run("INSERT INTO t VALUES (1, 0)");
        cluster.awaitReplicas();
    }

    @AfterEach
    void stop() {
        proxy.close();
    }

    private Endpoint proxied() {
        return new Endpoint("127.0.0.1", proxy.port(), database, "postgres", TestCluster.PASSWORD);
    }

    private Endpoint direct() {
        return new Endpoint(
                cluster.primary().host(), cluster.primary().port(), database, "postgres", TestCluster.PASSWORD);
    }

    private static String value(RawClient client, String sql) {
        return Objects.requireNonNull(
                Message.row(client.query(sql).readUntilReady()).getFirst());
    }

    private boolean isReplica(String port) {
        return !port.equals(String.valueOf(cluster.primary().port()));
    }

    private DatabaseRoutes routes() {
        return Objects.requireNonNull(
                proxy.services().routes().all().iterator().next().routes());
    }

    /** What went where, for the message of an assertion. */
    private String reasons() {
        return Stream.of(RouteReason.values())
                .filter(reason -> routes().counters().of(reason) > 0)
                .map(reason -> reason + "=" + routes().counters().of(reason))
                .collect(Collectors.joining(" "));
    }

    /** How many statements have gone to a host for the sake of a hint. */
    private long asked(Host host) {
        return host.index() == 0
                ? routes().counters().of(RouteReason.HINT_PRIMARY)
                : routes().counters().reads(host.index());
    }

    private void assertOnReplica(RawClient client, String sql) {
        String before = reasons();
        long fresh = routes().counters().of(RouteReason.FRESH);
        client.query(sql).readUntilReady();
        assertThat(routes().counters().of(RouteReason.FRESH))
                .as(() -> sql + ": " + before + " -> " + reasons())
                .isEqualTo(fresh + 1);
    }

    /** Until both replicas answer: a new connection is used once its server has been seen fresh. */
    private void awaitReplicas(RawClient client) {
        await().until(() -> IntStream.range(0, 6).allMatch(i -> isReplica(value(client, "SELECT here()"))));
    }

    @Test
    void readsGoToReplicasAndWritesToThePrimary() {
        try (RawClient c = proxied().login()) {
            awaitReplicas(c);
            for (int i = 1; i < 300; i++) {
                assertThat(Message.types(c.query("UPDATE t SET v = " + i + " WHERE id = 1")
                                .readUntilReady()))
                        .isEqualTo("CZ");
                assertThat(value(c, "SELECT v FROM t WHERE id = 1")).isEqualTo(String.valueOf(i));
            }
            await().until(() -> isReplica(value(c, "SELECT here() FROM t")));
        }
        assertThat(routes().counters().of(RouteReason.WRITE)).isGreaterThanOrEqualTo(299);
        assertThat(routes().counters().of(RouteReason.FRESH)).isGreaterThan(0);
    }

    @Test
    void preparedStatementsAndPipelinesAreRouted() {
        try (RawClient c = proxied().login()) {
            awaitReplicas(c);
            c.batch(b -> b.parse("s", "SELECT here(), v FROM t WHERE id = $1").sync());
            assertThat(Message.types(c.readUntilReady())).isEqualTo("1Z");
            for (int i = 0; i < 20; i++) {
                c.batch(b -> b.bind("", "s", "1").execute("").sync());
                var answer = c.readUntilReady();
                assertThat(Message.types(answer)).isEqualTo("2DCZ");
                assertThat(isReplica(Objects.requireNonNull(Message.row(answer).getFirst())))
                        .isTrue();
            }
            c.batch(b -> b.bind("", "s", "1")
                    .execute("")
                    .sync()
                    .query("UPDATE t SET v = 7")
                    .bind("", "s", "1")
                    .execute("")
                    .sync());
            assertThat(Message.types(c.readUntilReady())).isEqualTo("2DCZ");
            assertThat(Message.types(c.readUntilReady())).isEqualTo("CZ");
            assertThat(Message.row(c.readUntilReady()).get(1)).isEqualTo("7");
        }
    }

    @Test
    void aTransactionIsSplitAtItsFirstWrite() {
        try (RawClient c = proxied().login();
                RawClient other = direct().login()) {
            awaitReplicas(c);
            assertThat(Message.types(c.query("BEGIN").readUntilReady())).isEqualTo("CZ");
            assertOnReplica(c, "SELECT v FROM t");
            assertOnReplica(c, "SELECT count(*) FROM t");
            assertThat(Message.types(c.query("UPDATE t SET v = 8").readUntilReady()))
                    .isEqualTo("CZ");
            assertThat(isReplica(value(c, "SELECT here()"))).isFalse();
            assertThat(value(c, "SELECT v FROM t")).isEqualTo("8");
            assertThat(value(other, "SELECT v FROM t")).isEqualTo("0");
            assertThat(c.query("ROLLBACK").readUntilReady().getLast().toString())
                    .contains("I");
            assertThat(value(c, "SELECT v FROM t")).isEqualTo("0");
        }
    }

    /** A constant that stands for the moment has one value in a transaction, like now(), wherever its reads go. */
    @Test
    void theMomentOfATransactionIsTheSameInAllOfIt() {
        try (RawClient c = proxied().login()) {
            awaitReplicas(c);
            c.query("BEGIN").readUntilReady();
            assertOnReplica(c, "SELECT v FROM t");
            String now = value(c, "SELECT 'now'::timestamptz::text");
            assertThat(value(c, "SELECT now()::text")).isEqualTo(now);
            c.query("COMMIT").readUntilReady();
            c.query("BEGIN").readUntilReady();
            c.batch(b -> b.parse("", "SELECT ($1::timestamptz)::text")
                    .bind("", "", " NOW ")
                    .execute("")
                    .sync());
            String bound =
                    Objects.requireNonNull(Message.row(c.readUntilReady()).getFirst());
            assertThat(value(c, "SELECT now()::text")).isEqualTo(bound);
            c.query("COMMIT").readUntilReady();
            value(c, "SELECT 'now'::timestamptz"); // outside of a transaction nobody can compare it
            assertThat(routes().counters().of(RouteReason.TRANSACTION_BOUND)).isEqualTo(2);
        }
    }

    @Test
    void anEmptyTransactionReachesNoServer() {
        try (RawClient c = proxied().login()) {
            awaitReplicas(c);
            long before = routes().counters().of(RouteReason.TRANSACTION);
            for (String end : new String[] {"COMMIT", "ROLLBACK", "END", "ABORT"}) {
                assertThat(c.query("START TRANSACTION READ ONLY")
                                .readUntilReady()
                                .toString())
                        .contains("START TRANSACTION");
                assertThat(Message.types(c.query(end).readUntilReady())).isEqualTo("CZ");
            }
            assertThat(routes().counters().of(RouteReason.TRANSACTION)).isEqualTo(before);
        }
    }

    /** Duplicate keys are daily business, and so are typing errors: neither keeps reads away from replicas. */
    @Test
    void whatHasFailedHasWrittenNothing() {
        try (RawClient c = proxied().login()) {
            awaitReplicas(c);
            await().untilAsserted(() -> assertOnReplica(c, "SELECT v FROM t"));
            long noCatalog = routes().counters().of(RouteReason.NO_CATALOG);
            for (String failing : List.of(
                    "INSERT INTO t VALUES (2, 2), (1, 1)",
                    "UPDATE t SET v = 1 / (v - v)",
                    "SELEC v FROM t",
                    "UPDATE t SET",
                    "COPY t FROM STDIN (FORMAT nonsense)")) {
                assertThat(Message.types(c.query(failing).readUntilReady()))
                        .as(failing)
                        .isEqualTo("EZ");
                assertOnReplica(c, "SELECT v FROM t");
                c.batch(b -> b.parse("", failing).bind("", "").execute("").sync());
                assertThat(Message.types(c.readUntilReady())).as(failing).endsWith("EZ");
                assertOnReplica(c, "SELECT v FROM t");
            }
            assertThat(routes().counters().of(RouteReason.NO_CATALOG))
                    .as(reasons())
                    .isEqualTo(noCatalog);

            c.query("INSERT INTO t VALUES (3, 3); SELEC").readUntilReady();
            assertThat(value(c, "SELECT count(*) FROM t")).isEqualTo("1");
            c.query("BEGIN; INSERT INTO t VALUES (3, 3); COMMIT; SELECT 1 / 0").readUntilReady();
            assertThat(value(c, "SELECT count(*) FROM t")).isEqualTo("2");
        }
    }

    /** It has failed on a replica; pgjdbc closes what it no longer needs in front of its ROLLBACK. */
    @Test
    void aTransactionThatHasFailedOnNoServerCanBeLeft() {
        try (RawClient c = proxied().login()) {
            awaitReplicas(c);
            c.batch(b ->
                    b.parse("rollback", "ROLLBACK").parse("old", "SELECT 1").sync());
            c.readUntilReady();
            c.query("SET statement_timeout = '100ms'").readUntilReady();
            List<Consumer<RawClient>> ends = List.of(
                    b -> b.query("ROLLBACK"),
                    b -> b.closeStatement("old").query("COMMIT"),
                    b -> b.closeStatement("old")
                            .bind("", "rollback")
                            .execute("")
                            .sync(),
                    b -> b.closeStatement("new")
                            .parse("new", "ROLLBACK")
                            .bind("", "new")
                            .execute("")
                            .sync());
            for (Consumer<RawClient> end : ends) {
                c.query("BEGIN").readUntilReady();
                var failure = c.query("SELECT count(*) FROM generate_series(1, 100000000)")
                        .readUntilReady();
                assertThat(failure.get(1).field('C')).isEqualTo("57014");
                assertThat(routes().counters().of(RouteReason.TRANSACTION))
                        .as(reasons())
                        .isZero();
                c.batch(b -> b.closeStatement("new").parse("new", "SELECT 1").sync());
                assertThat(Message.types(c.readUntilReady())).isEqualTo("3EZ");
                c.batch(end);
                var left = c.readUntilReady();
                assertThat(Message.types(left)).matches("3?1?2?CZ");
                assertThat(left.getLast().toString()).contains("I");
            }
        }
    }

    @Test
    void whatAReplicaCannotAnswerThePrimaryDoes() {
        direct().run("CREATE SEQUENCE hidden");
        direct().run("CREATE FUNCTION liar() RETURNS bigint STABLE LANGUAGE plpgsql AS $$"
                + " DECLARE n bigint; BEGIN EXECUTE 'SELECT nextval(''hidden'')' INTO n; RETURN n; END $$");
        cluster.awaitReplicas();
        try (RawClient c = proxied().login()) {
            awaitReplicas(c);
            assertThat(Message.types(c.query("SELECT liar()").readUntilReady())).contains("DC");
            assertThat(routes().counters().of(RouteReason.HEALED)).isEqualTo(1);
            c.query("DISCARD ALL").readUntilReady();
            c.query("SELECT liar()").readUntilReady();
            assertThat(routes().counters().of(RouteReason.LEARNT)).isEqualTo(1);
        }
    }

    @Test
    void hintsAreObeyedAndMistakesReported() {
        try (RawClient c = proxied().login()) {
            awaitReplicas(c);
            assertThat(isReplica(value(c, "/* pgproxy: primary */ SELECT here()")))
                    .isFalse();
            for (Host host : routes().hosts()) {
                await().until(() -> {
                    long before = asked(host);
                    c.query("SELECT v FROM t -- pgproxy: host=" + host.name()).readUntilReady();
                    return asked(host) > before; // not while a probe of the last statement runs
                });
            }
            var answer = c.query("SELECT /* pgproxy: primray */ 1").readUntilReady();
            assertThat(Message.types(answer)).isEqualTo("NTDCZ");
            assertThat(answer.getFirst().field('M')).contains("primray").contains("not known");
        }
    }

    /** The replica does not know the role yet; the client hears nothing of that, then or later. */
    @Test
    void whatAReplicaCannotBeAlignedForThePrimaryAnswers() {
        try (RawClient c = proxied().login()) {
            awaitReplicas(c);
            direct().run("GRANT ALL ON t TO PUBLIC");
            cluster.awaitReplicas();
            TestCluster.pauseReplay(cluster);
            try {
                String role = TestCluster.freshRole(cluster.primary(), "secret", "");
                c.query("SET ROLE " + role).readUntilReady();
                for (int i = 0; i < 5; i++) {
                    assertThat(Message.types(c.query("SELECT v FROM t").readUntilReady()))
                            .isEqualTo("TDCZ");
                }
                assertThat(routes().counters().of(RouteReason.HEALED))
                        .as(reasons())
                        .isGreaterThan(0);
            } finally {
                TestCluster.resumeReplay(cluster);
            }
        }
    }
}
