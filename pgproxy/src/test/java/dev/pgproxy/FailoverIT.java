package dev.pgproxy;

import static dev.pgproxy.testing.CachingProxy.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.server.ServerState;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.RoutedProxy;
import dev.pgproxy.testing.Signals;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** {@code failover = follow}: writes go to whichever host is the primary, and wait while none is. */
@Timeout(180)
final class FailoverIT extends FailoverCase {
    @Test
    void writesWaitUntilAReplicaIsPromotedAndGoThere() throws Exception {
        start("failover_wait = 30s\n");
        try (RawClient client = proxied().login();
                RawClient other = proxied().login()) {
            write(client, 1);
            assertThat(value(other, READ)).isEqualTo("1");
            killThePrimary();
            client.query("INSERT INTO t VALUES (2)"); // nobody takes it yet
            await().until(() -> proxy().pools().all().stream().anyMatch(pool -> pool.hasWaiting()));
            direct(replica(0)).run("SELECT pg_promote()");
            assertThat(client.readUntilReady()).noneMatch(message -> message.type() == 'E');
            assertThat(value(other, READ)).isEqualTo("2");
            write(other, 3);
            assertThat(value(client, READ)).isEqualTo("3");
        }
        assertThat(ids(replica(0))).containsExactly(1, 2, 3);
    }

    /** In whatever way the server ends, and whatever its client has sent behind the read. */
    @Test
    void aReadThatThePrimaryTakesAlongIsAskedAgain() throws Exception {
        direct(primary()).run("CREATE VIEW slow AS SELECT count(*) FROM t, (SELECT pg_sleep(3)) AS s");
        awaitReplay();
        start("failover_wait = 30s\n");
        List<Runnable> ends = List.of(
                () -> direct(primary()).run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE " + ASLEEP),
                () -> kill("INT"),
                () -> kill("KILL"));
        for (Runnable end : ends) {
            try (RawClient client = proxied().login();
                    RawClient pipelining = proxied().login();
                    RawClient telling = proxied().login()) {
                client.query(SLOW);
                pipelining.batch(c -> c.query(SLOW).query("SELECT 'behind'"));
                telling.query("/* pgproxy: primary noretry */ TABLE slow");
                await().until(() ->
                        Message.rows(direct(primary()).run("SELECT 1 FROM pg_stat_activity WHERE " + ASLEEP))
                                        .size()
                                == 3);
                end.run();
                if (!primary().isRunning()) {
                    primary().start();
                }
                assertThat(Message.row(client.readUntilReady())).containsExactly("0");
                assertThat(error(telling)).matches("(57P01|08006): .*");
                assertThat(Message.types(pipelining.readUntil(m -> m.isReady() || m.isClosed())))
                        .isIn("TDCZ", "E!", "TE!");
            }
        }
    }

    private static final String SLOW = "/* pgproxy: primary */ TABLE slow";
    private static final String ASLEEP = "wait_event = 'PgSleep'";

    private void kill(String signal) {
        if (signal.equals("INT")) {
            primary().stop();
        } else {
            primary().kill9();
        }
    }

    @Test
    void aPrimaryThatComesBackAfterAPromotionGetsNothing() throws Exception {
        start("failover_wait = 30s\n");
        Writer writer = new Writer();
        try (writer) {
            writer.awaitMore(20);
            // it is alive and takes writes, when another is promoted beside it
            direct(replica(1)).run("SELECT pg_promote()");
            await().until(() -> !ids(replica(1)).isEmpty() && isWritten(replica(1)));
            writer.awaitMore(50);
            primary().kill9();
            primary().start();
            writer.awaitMore(50);
        }
        List<Integer> before = ids(primary());
        List<Integer> there = ids(replica(1));
        List<Integer> both = new ArrayList<>(there);
        both.addAll(before);
        assertThat(both).containsAll(writer.acknowledged);
        List<Integer> onlyThere =
                there.stream().filter(id -> !before.contains(id)).toList();
        assertThat(onlyThere.getFirst()).as("who was left gets nothing").isGreaterThan(before.getLast());
        assertThat(writer.unknown.size()).as("in flight when its host was left").isLessThan(5);
    }

    private boolean isWritten(EmbeddedPostgres server) {
        return ids(server).getLast() > ids(primary()).getLast();
    }

    /** Another name leads to the same primary and has no replicas: who watches it for that knows nothing of a promotion. */
    @Test
    void neitherARestartOfTheOldOneNorAReloadNorAnotherNameMakesItThePrimaryAgain() throws Exception {
        String settings = "failover_wait = 30s\ndatabases { template1 { primary = \""
                + primary().host() + ":" + primary().port() + "\" } }\n";
        start(settings);
        try (RawClient client = proxied().login();
                RawClient other = new Endpoint("127.0.0.1", proxy().port(), "template1", "postgres", "").login()) {
            write(client, 1);
            other.query("SELECT count(*) FROM pg_class").readUntilReady();
            await().until(() -> proxy().services().routes().all().stream().allMatch(state -> state.catalog() != null));
            killThePrimary();
            direct(replica(0)).run("SELECT pg_promote()");
            write(client, 2);
            primary().start();
            for (int id = 3; id < 40; id++) {
                write(client, id);
                if (id % 10 == 0) {
                    proxy().reload(configuration(settings + "server_idle_timeout = " + (500 + id) + "s\n"));
                }
            }
        }
        assertThat(ids(primary())).containsExactly(1);
        assertThat(ids(replica(0))).hasSize(39);
    }

    /** Logging in there takes until {@code server_connect_timeout}, 15 s; nobody waits for that once another is known. */
    @Test
    void aPrimaryThatHangsIsLeftWithWhatIsUnderWayThere() throws Exception {
        start("failover_wait = 30s\n");
        try (RawClient first = proxied().login();
                RawClient second = proxied().login()) {
            write(first, 1);
            awaitReplay();
            awaitIdle();
            List<Long> processes = Signals.processesOf(primary());
            Signals.send("STOP", processes);
            try {
                first.query("INSERT INTO t VALUES (2)"); // on the idle server
                await().until(() -> proxy().pools().all().stream()
                        .flatMap(pool -> pool.servers().stream())
                        .anyMatch(server -> server.state() == ServerState.ACTIVE));
                second.query("INSERT INTO t VALUES (3)"); // on one that cannot log in
                await().until(() -> proxy().pools().all().stream().anyMatch(pool -> pool.connecting() > 0));
                long begun = System.nanoTime();
                direct(replica(0)).run("SELECT pg_promote()");
                assertThat(second.readUntilReady()).noneMatch(message -> message.type() == 'E');
                assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(10));
                assertThat(error(first)).startsWith("08007: ");
            } finally {
                Signals.send("CONT", processes);
            }
        }
        assertThat(ids(replica(0))).containsExactly(1, 3);
    }

    @Test
    void aRestartOfThePrimaryIsAPause() throws Exception {
        start("failover_wait = 30s\n");
        try (RawClient client = proxied().login()) {
            write(client, 1);
            awaitIdle();
            primary().stop();
            awaitNoServers();
            client.query("INSERT INTO t VALUES (2)");
            await().until(() -> proxy().pools().all().stream().anyMatch(pool -> pool.hasWaiting()));
            primary().start();
            assertThat(client.readUntilReady()).noneMatch(message -> message.type() == 'E');
        }
        assertThat(ids(primary())).containsExactly(1, 2);
    }

    @Test
    void afterTheWaitThereIsAnErrorAndNextTimeAtOnce() throws Exception {
        start("failover_wait = 6s\nserver_login_retry = 15s\n");
        try (RawClient client = proxied().login();
                RawClient next = proxied().login()) {
            write(client, 1);
            awaitIdle();
            primary().stop();
            awaitNoServers();
            long begun = System.nanoTime();
            assertThat(failure(client)).startsWith("08006: could not connect to server");
            assertThat(Duration.ofNanos(System.nanoTime() - begun)).isGreaterThan(Duration.ofMillis(5_900));
            begun = System.nanoTime();
            assertThat(failure(next)).startsWith("08006: could not connect to server");
            assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofMillis(5_900));
        }
    }

    @Test
    void offMeansTheConfiguredHost() throws Exception {
        start("failover = off\n");
        try (RawClient client = proxied().login()) {
            write(client, 1);
            killThePrimary();
            direct(replica(0)).run("SELECT pg_promote()");
            assertThat(failure(client)).startsWith("08006: ");
        }
        assertThat(ids(replica(0))).containsExactly(1);
    }

    @Test
    void replicasThatFollowTheNewPrimaryAreReadAgain() throws Exception {
        start("failover_wait = 30s\ncache_mode = off\n");
        try (RawClient client = proxied().login()) {
            write(client, 1);
            killThePrimary();
            direct(replica(0)).run("SELECT pg_promote()");
            write(client, 2);
            String source = "host=127.0.0.1 port=" + replica(0).port() + " user=postgres password="
                    + replica(0).superuserPassword();
            Endpoint other = direct(replica(1));
            other.run("ALTER SYSTEM SET primary_conninfo = '" + source + "'");
            other.run("ALTER SYSTEM SET primary_slot_name = ''");
            other.run("SELECT pg_reload_conf()");
            await().until(() -> ids(replica(1)).contains(2));
            write(client, 3);
            await().untilAsserted(() -> assertThat(value(client, RoutedProxy.HERE))
                    .as(() -> console("SHOW REPLICAS") + " "
                            + Message.rows(client.query("EXPLAIN (ROUTE) " + RoutedProxy.HERE)
                                    .readUntilReady()))
                    .isEqualTo(Integer.toString(replica(1).port())));
            assertThat(value(client, READ)).isEqualTo("3");
        }
    }
}
