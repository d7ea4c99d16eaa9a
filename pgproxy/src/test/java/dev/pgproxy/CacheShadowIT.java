package dev.pgproxy;

import static dev.pgproxy.testing.CachingProxy.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.results.CacheReason;
import dev.pgproxy.results.Comparison;
import dev.pgproxy.results.ShadowCounts.Tally;
import dev.pgproxy.testing.CachingProxy;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.RoutedProxy;
import dev.pgproxy.testing.TestCluster;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** {@code cache_mode = shadow}: servers answer, and what the cache would have said is held to their answers. */
final class CacheShadowIT {
    private static final String READ = "SELECT v FROM t WHERE id = 1";
    private static final int TABLES = 4;

    private final CachingProxy caching = CachingProxy.start(
            "cache_mode = shadow\ncache_shadow_sample = 100\ncache_flight_wait = 30s\n",
            "CREATE TABLE t (id int PRIMARY KEY, v int)",
            "INSERT INTO t SELECT i, i * 10 FROM generate_series(1, 3) i",
            "CREATE TABLE w0 AS SELECT 0 AS v",
            "CREATE TABLE w1 AS SELECT 0 AS v",
            "CREATE TABLE w2 AS SELECT 0 AS v",
            "CREATE TABLE w3 AS SELECT 0 AS v");

    @AfterEach
    void stop() {
        caching.close();
    }

    private Tally tally() {
        return caching.state().shadow().all();
    }

    private void direct(String sql) {
        caching.routed().direct().run(sql);
    }

    private List<Message> console(String command) {
        Endpoint proxied = caching.routed().proxied();
        return new Endpoint(proxied.host(), proxied.port(), "pgproxy", "postgres", proxied.password()).run(command);
    }

    /** The first row that the console answers. */
    private List<String> first(String command) {
        return Message.rows(console(command)).getFirst().stream()
                .map(String::valueOf)
                .toList();
    }

    /** How many comparisons have ended so: counted before the client has its answer, unless its socket is full. */
    private void assertCompared(Comparison comparison, long times) {
        assertThat(tally().of(comparison)).as(comparison.toString()).isEqualTo(times);
    }

    @Test
    void nothingIsServedAndAnotherAnswerIsCounted() {
        try (RawClient c = caching.login();
                RawClient writer = caching.login()) {
            caching.know(c, READ);
            assertThat(value(c, READ)).isEqualTo("10");
            assertThat(tally().hits()).isZero();
            assertThat(value(c, READ)).isEqualTo("10");
            assertThat(tally().hits()).isEqualTo(1);
            assertCompared(Comparison.SAME, 1);

            direct("UPDATE t SET v = 11 WHERE id = 1");
            assertThat(value(c, READ)).isEqualTo("11");
            assertCompared(Comparison.DIFFERENT, 1);
            assertThat(caching.count(CacheReason.HIT)).isZero();
            assertThat(caching.count(CacheReason.SHADOW)).isEqualTo(2);

            writer.query("UPDATE t SET v = 12 WHERE id = 1").readUntilReady();
            assertThat(value(c, READ)).isEqualTo("12"); // a miss, and kept
            assertThat(value(c, READ)).isEqualTo("12");
            assertCompared(Comparison.SAME, 2);
            assertCompared(Comparison.DIFFERENT, 1);
        }
    }

    @Test
    void whatIsFoundIsShown() {
        try (RawClient c = caching.login()) {
            caching.know(c, READ);
            value(c, READ);
            value(c, READ);
            direct("UPDATE t SET v = 11 WHERE id = 1");
            value(c, READ);
            List<String> sum = first("SHOW CACHE");
            assertThat(sum.getFirst()).isEqualTo("shadow");
            assertThat(sum).containsSequence("66.67 %");
            assertThat(sum.subList(12, 17)).containsExactly("2", "2", "1", "0", "0");
            List<String> shadow = first("SHOW CACHE SHADOW");
            assertThat(shadow.getFirst()).isEqualTo(caching.routed().database());
            assertThat(shadow.subList(2, 7)).containsExactly("2", "2", "1", "0", "0");
            assertThat(shadow.getLast()).startsWith("SELECT v FROM t");
            List<String> shape = first("SHOW CACHE FINGERPRINTS");
            assertThat(shape.getFirst()).isEqualTo(shadow.get(1));
            assertThat(shape.subList(1, 7)).containsExactly("2", "1", "66.67 %", "2", "1", "0");
            assertThat(Message.rows(c.query("EXPLAIN (ROUTE) " + READ).readUntilReady()))
                    .anyMatch(row -> row.toString().startsWith("[cache reason, shadow: "));
        }
    }

    @Test
    void timeThatServersTakeIsAddedUp() {
        try (RawClient c = caching.login();
                RawClient locking = caching.routed().direct().login()) {
            caching.know(c, READ);
            value(c, READ);
            locking.query("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE").readUntilReady();
            long begun = System.nanoTime();
            c.query(READ);
            awaitWaiting(locking, 1);
            locking.query("SELECT pg_sleep(0.2)").readUntilReady();
            locking.query("ROLLBACK").readUntilReady();
            c.readUntilReady();
            long most = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun);
            assertThat(tally().savedMillis()).isBetween(200L, most);
        }
    }

    @Test
    void rowsInAnotherOrderAreNoMismatch() {
        String all = "SELECT id, v FROM t";
        try (RawClient c = caching.login()) {
            caching.know(c, all);
            value(c, all);
            direct("UPDATE t SET v = v WHERE id = 1"); // its row moves behind the others
            assertThat(Message.rows(c.query(all).readUntilReady()).getFirst()).containsExactly("2", "20");
            assertCompared(Comparison.REORDERED, 1);
            direct("UPDATE t SET v = 30 WHERE id = 2");
            value(c, all); // as many bytes, and other rows
            direct("INSERT INTO t SELECT i, i FROM generate_series(10, 99) i");
            value(c, all);
            assertCompared(Comparison.REORDERED, 1);
            assertCompared(Comparison.DIFFERENT, 2);
        }
    }

    @Test
    void descriptionsThatNobodyAskedForAreNotCompared() {
        String sql = "SELECT id, v FROM t WHERE id = $1";
        try (RawClient c = caching.login()) {
            caching.know(c, sql);
            c.batch(b -> b.parse("s", sql)
                    .describeStatement("s")
                    .bind("", "s", "3")
                    .describePortal("")
                    .execute("")
                    .sync());
            assertThat(Message.types(c.readUntilReady())).isEqualTo("1tT2TDCZ");
            c.batch(b -> b.bind("", "s", "3").execute("").sync());
            assertThat(Message.types(c.readUntilReady())).isEqualTo("2DCZ");
            c.batch(b -> b.bind("", "s", "3").describePortal("").execute("").sync());
            c.readUntilReady();
            c.batch(b -> b.describeStatement("s").bind("", "s", "3").execute("").sync());
            c.readUntilReady();
            assertCompared(Comparison.SAME, 3);
            direct("UPDATE t SET v = 31 WHERE id = 3");
            c.batch(b -> b.bind("", "s", "3").execute("").sync());
            assertThat(Message.row(c.readUntilReady())).containsExactly("3", "31");
            assertCompared(Comparison.DIFFERENT, 1);
        }
    }

    @Test
    void aWriteMeanwhileMakesTheComparisonUnfair() {
        try (RawClient c = caching.login();
                RawClient writer = caching.login();
                RawClient locking = caching.routed().direct().login()) {
            caching.know(c, READ);
            value(c, READ);
            locking.query("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE").readUntilReady();
            c.query(READ);
            awaitWaiting(locking, 1);
            writer.query("UPDATE t SET v = 13 WHERE id = 1");
            awaitWaiting(locking, 2);
            locking.query("ROLLBACK").readUntilReady();
            c.readUntilReady();
            writer.readUntilReady();
            assertThat(tally().hits()).isEqualTo(1);
            assertThat(tally().compared()).isZero();
            assertCompared(Comparison.OVERTAKEN, 1);
        }
    }

    @Test
    void ofATransactionTheFirstReadIsLookedUp() {
        try (RawClient c = caching.login()) {
            caching.know(c, READ);
            value(c, READ);
            c.query("BEGIN").readUntilReady();
            value(c, READ);
            value(c, READ);
            c.query("COMMIT").readUntilReady();
            assertThat(tally().hits()).isEqualTo(1);
            assertCompared(Comparison.SAME, 1);
        }
    }

    @Test
    void whatFailsIsNotCompared() {
        try (RawClient c = caching.login();
                RawClient locking = caching.routed().direct().login()) {
            caching.know(c, READ);
            value(c, READ);
            c.query("SET statement_timeout = '50ms'").readUntilReady();
            locking.query("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE").readUntilReady();
            assertThat(c.query(READ).readUntilReady().getFirst().field('C')).isEqualTo("57014");
            locking.query("ROLLBACK").readUntilReady();
            assertThat(tally().hits()).isEqualTo(1);
            assertThat(tally().compared()).isZero();
            assertCompared(Comparison.OVERTAKEN, 0);
            assertThat(tally().savedMillis()).isZero();
            c.query("RESET statement_timeout").readUntilReady();
            value(c, READ);
            assertCompared(Comparison.SAME, 1);
        }
    }

    @Test
    void nobodyWaitsForAnother() {
        List<RawClient> clients = new ArrayList<>();
        try (RawClient locking = caching.routed().direct().login();
                RawClient first = caching.login()) {
            caching.know(first, READ);
            locking.query("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE").readUntilReady();
            for (int i = 0; i < 5; i++) {
                clients.add(caching.login());
            }
            clients.forEach(client -> client.query(READ));
            awaitWaiting(locking, 5);
            locking.query("ROLLBACK").readUntilReady();
            clients.forEach(
                    client -> assertThat(Message.row(client.readUntilReady())).containsExactly("10"));
        } finally {
            clients.forEach(RawClient::close);
        }
    }

    /** So many wait for the lock on the table. */
    private static void awaitWaiting(RawClient locking, int many) {
        await().until(() -> Integer.toString(many)
                .equals(value(
                        locking, "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 't'::regclass")));
    }

    @Test
    void aSampleIsCompared() {
        console("SET cache_shadow_sample = 0");
        try (RawClient c = caching.login()) {
            caching.know(c, READ);
            for (int i = 0; i < 50; i++) {
                value(c, READ);
            }
            assertThat(tally().hits()).isEqualTo(49);
            assertThat(tally().compared()).isZero();
            console("SET cache_shadow_sample = 50");
            caching.awaitCatalog();
            await().pollInterval(Duration.ofMillis(2)).until(() -> {
                value(c, READ);
                return tally().compared() >= 20;
            });
            assertThat(tally().hits() - 49).isGreaterThan(tally().compared());
        }
    }

    @Test
    void modesChangeWhileClientsAreConnected() {
        try (RawClient c = caching.login()) {
            caching.know(c, READ);
            value(c, READ);
            value(c, READ);
            assertCompared(Comparison.SAME, 1);
            console("SET cache_mode = on");
            await().until(() -> caching.isHit(c, READ));
            long hits = caching.count(CacheReason.HIT);
            console("SET cache_mode = off");
            value(c, READ);
            assertThat(caching.count(CacheReason.HIT)).isEqualTo(hits);
            assertThat(tally().hits()).isEqualTo(1);
            console("SET cache_mode = shadow");
            caching.awaitCatalog();
            await().until(() -> {
                value(c, READ);
                return tally().of(Comparison.SAME) > 1;
            });
            assertThat(caching.count(CacheReason.HIT)).isEqualTo(hits);
            assertCompared(Comparison.DIFFERENT, 0);
        }
    }

    /** Sessions that read and write the same tables: no answer may differ but by a write that overtook it. */
    @Test
    void underWritersThereIsNoMismatch() throws Exception {
        try (RawClient c = caching.login()) {
            for (int i = 0; i < TABLES; i++) {
                caching.know(c, "SELECT v FROM w" + i, "UPDATE w" + i + " SET v = v + 1");
            }
        }
        long seed = System.nanoTime();
        List<Thread> sessions = new ArrayList<>();
        List<Throwable> failures = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            long own = seed + i;
            Thread session = new Thread(() -> readAndWrite(new Random(own)));
            session.setUncaughtExceptionHandler((thread, failure) -> {
                synchronized (failures) {
                    failures.add(failure);
                }
            });
            session.start();
            sessions.add(session);
        }
        for (Thread session : sessions) {
            session.join();
        }
        assertThat(failures).isEmpty();
        assertThat(tally().of(Comparison.SAME)).as("seed " + seed).isGreaterThan(200);
        assertThat(tally().of(Comparison.OVERTAKEN)).isPositive();
        assertCompared(Comparison.DIFFERENT, 0);
        assertCompared(Comparison.REORDERED, 0);
    }

    private void readAndWrite(Random random) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(4);
        try (RawClient c = caching.login()) {
            while (System.nanoTime() < end) {
                String table = "w" + random.nextInt(TABLES);
                switch (random.nextInt(40)) {
                    case 0 -> c.query("UPDATE " + table + " SET v = v + 1").readUntilReady();
                    case 1 -> {
                        c.query("BEGIN").readUntilReady();
                        c.query("UPDATE " + table + " SET v = v + 1").readUntilReady();
                        c.query(random.nextBoolean() ? "COMMIT" : "ROLLBACK").readUntilReady();
                    }
                    default -> value(c, "SELECT v FROM " + table);
                }
            }
        }
    }

    /** Replicas that may be behind answer where {@code consistency = eventual} allows it: that proves nothing. */
    @Test
    void whatAReplicaSaysThatMayBeBehindIsNotCompared() {
        try (CachingProxy eventual = new CachingProxy(
                RoutedProxy.start("""
                cache_mode = shadow
                cache_shadow_sample = 100
                change_feed = off
                consistency = eventual
                primary_reads = always
                """, List.of(1, 1), "CREATE TABLE t (v int)", "INSERT INTO t VALUES (1)"))) {
            String read = "SELECT v FROM t";
            eventual.routed().awaitReplicas();
            try (RawClient c = eventual.login()) {
                eventual.know(c, read);
                TestCluster.pauseReplay(eventual.routed().cluster());
                c.query("UPDATE t SET v = 2").readUntilReady();
                Tally tally = eventual.state().shadow().all();
                await().until(() -> {
                    long hits = tally.hits();
                    boolean old = "1".equals(value(c, read));
                    return old && tally.hits() > hits;
                });
                assertThat(tally.of(Comparison.DIFFERENT)).isZero();
            } finally {
                TestCluster.resumeReplay(eventual.routed().cluster());
            }
        }
    }
}
