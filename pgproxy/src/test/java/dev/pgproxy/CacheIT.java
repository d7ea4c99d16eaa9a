package dev.pgproxy;

import static dev.pgproxy.testing.CachingProxy.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.results.CacheReason;
import dev.pgproxy.testing.CachingProxy;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Reads are answered from the cache where a server would say the same, in each protocol, and by the server otherwise. */
class CacheIT {
    private static final String READ = "SELECT v FROM t WHERE id = 1";

    private final CachingProxy caching = CachingProxy.start(
            "cache_flight_wait = 30s\n",
            "CREATE TABLE t (id int PRIMARY KEY, v int)",
            "INSERT INTO t SELECT i, i * 10 FROM generate_series(1, 10) i",
            "CREATE TABLE wide (id int, filling text)",
            "INSERT INTO wide SELECT i, repeat('x', 1000) FROM generate_series(1, 200) i");

    @AfterEach
    void stop() {
        caching.close();
    }

    @Test
    void aRepeatedReadIsAnsweredFromTheCacheUntilItsTableIsWritten() {
        try (RawClient c = caching.login();
                RawClient other = caching.login()) {
            caching.know(c, READ);
            assertThat(value(c, READ)).isEqualTo("10");
            assertThat(value(c, READ)).isEqualTo("10");
            assertThat(value(other, READ)).isEqualTo("10");
            assertThat(caching.count(CacheReason.HIT)).isEqualTo(2);
            other.query("UPDATE t SET v = 11 WHERE id = 1").readUntilReady();
            assertThat(value(c, READ)).isEqualTo("11");
            assertThat(value(c, READ)).isEqualTo("11");
            assertThat(caching.count(CacheReason.HIT)).isEqualTo(3);
        }
    }

    /** What drivers send to run one statement, each in its way. */
    private static final Map<String, Consumer<RawClient>> HABITS = Map.of(
            "simple", c -> c.query("SELECT id, v FROM t WHERE id = 3"),
            "unnamed",
                    c -> c.parse("", "SELECT id, v FROM t WHERE id = $1", 23)
                            .bind("", "", "3")
                            .describePortal("")
                            .execute("")
                            .sync(),
            "unnamed, described first",
                    c -> c.parse("", "SELECT id, v FROM t WHERE id = $1")
                            .describeStatement("")
                            .bind("", "", "3")
                            .execute("")
                            .sync(),
            "not described",
                    c -> c.parse("", "SELECT id, v FROM t WHERE id = $1")
                            .bind("", "", "3")
                            .execute("")
                            .sync(),
            "closed behind",
                    c -> c.parse("", "SELECT id, v FROM t WHERE id = $1")
                            .bind("", "", "3")
                            .describePortal("")
                            .execute("")
                            .closePortal("")
                            .sync(),
            "named at once",
                    c -> c.closeStatement("s")
                            .parse("s2", "SELECT id, v FROM t WHERE id = $1")
                            .bind("", "s2", "3")
                            .describePortal("")
                            .execute("")
                            .closeStatement("s2")
                            .sync());

    @Test
    void aHitIsByteForByteWhatTheServerSays() {
        try (RawClient c = caching.login();
                RawClient direct = caching.routed().direct().login()) {
            caching.know(c, "SELECT id, v FROM t WHERE id = 3", "SELECT id, v FROM t WHERE id = $1");
            HABITS.forEach((name, habit) -> {
                direct.batch(habit);
                List<Message> wanted = direct.readUntilReady();
                c.batch(habit);
                assertThat(c.readUntilReady()).as(name + ", first").isEqualTo(wanted);
                long hits = caching.count(CacheReason.HIT);
                c.batch(habit);
                assertThat(c.readUntilReady()).as(name + ", again").isEqualTo(wanted);
                assertThat(caching.count(CacheReason.HIT)).as(name).isEqualTo(hits + 1);
            });
        }
    }

    @Test
    void aNamedStatementIsTheSameWhoeverAnswers() {
        try (RawClient first = caching.login();
                RawClient c = caching.login()) {
            caching.know(c, "SELECT v FROM t WHERE id = $1");
            for (RawClient each : List.of(first, c)) {
                each.batch(b -> b.parse("s", "SELECT v FROM t WHERE id = $1")
                        .describeStatement("s")
                        .bind("", "s", "4")
                        .execute("")
                        .sync());
                assertThat(Message.types(each.readUntilReady())).isEqualTo("1tT2DCZ");
            }
            assertThat(caching.count(CacheReason.HIT)).isEqualTo(1);
            Consumer<RawClient> byHeart = b -> b.bind("", "s", "4").execute("").sync();
            c.batch(byHeart);
            assertThat(Message.types(c.readUntilReady())).isEqualTo("2DCZ");
            assertThat(caching.count(CacheReason.HIT)).isEqualTo(2);

            // the server that runs it now has never seen it
            c.query("BEGIN").readUntilReady();
            c.query("UPDATE t SET v = 44 WHERE id = 4").readUntilReady();
            c.batch(byHeart);
            assertThat(Message.row(c.readUntilReady())).containsExactly("44");
            c.query("ROLLBACK").readUntilReady();

            c.batch(b -> b.parse("s", "SELECT 1").sync());
            assertThat(c.readUntilReady().getFirst().field('C')).isEqualTo("42P05");
            c.batch(b -> b.closeStatement("s").bind("", "s", "4").execute("").sync());
            assertThat(Message.types(c.readUntilReady())).isEqualTo("3EZ");
        }
    }

    @Test
    void anUnnamedStatementOutlivesItsHit() {
        try (RawClient c = caching.login()) {
            caching.know(c, "SELECT v FROM t WHERE id = $1 AND v > 0", READ);
            for (int i = 0; i < 2; i++) {
                c.batch(b -> b.parse("", "SELECT v FROM t WHERE id = $1 AND v > 0")
                        .bind("", "", "5")
                        .execute("")
                        .sync());
                assertThat(Message.types(c.readUntilReady())).isEqualTo("12DCZ");
            }
            assertThat(caching.count(CacheReason.HIT)).isEqualTo(1);
            c.batch(b -> b.bind("", "", "6").execute("").sync());
            assertThat(Message.row(c.readUntilReady())).containsExactly("60");
            value(c, READ);
            value(c, READ);
            c.batch(b -> b.bind("", "", "6").execute("").sync());
            assertThat(c.readUntilReady().getFirst().field('C')).isEqualTo("26000");
        }
    }

    @Test
    void columnsThatTheClientDoesNotExpectAreNotServed() {
        try (RawClient first = caching.login();
                RawClient c = caching.login()) {
            for (RawClient each : List.of(first, c)) {
                each.batch(b -> b.parse("s", "SELECT * FROM t WHERE id = $1")
                        .describeStatement("s")
                        .sync());
                each.readUntilReady();
            }
            Consumer<RawClient> byHeart = b -> b.bind("", "s", "4").execute("").sync();
            c.batch(byHeart);
            c.readUntilReady();
            c.query("ALTER TABLE t ADD COLUMN more int").readUntilReady();
            caching.awaitCatalog();
            first.batch(b -> b.closeStatement("s")
                    .parse("s", "SELECT * FROM t WHERE id = $1")
                    .bind("", "s", "4")
                    .describePortal("")
                    .execute("")
                    .sync());
            assertThat(Message.types(first.readUntilReady())).isEqualTo("312TDCZ");
            c.batch(byHeart);
            assertThat(c.readUntilReady().getFirst().field('C')).isEqualTo("0A000");
        }
    }

    @Test
    void whatIsNotTheWholeAnswerToOneReadIsTheServersBusiness() {
        try (RawClient c = caching.login()) {
            String sql = "SELECT v FROM t WHERE id < $1 ORDER BY id";
            caching.know(c, sql);
            c.batch(b -> b.parse("s", sql).bind("", "s", "5").execute("").sync());
            c.readUntilReady();
            Consumer<RawClient> partial =
                    b -> b.bind("", "s", "5").execute("", 2).sync();
            assertThat(caching.why(partial, c)).isEqualTo(CacheReason.EXCHANGE);
            Consumer<RawClient> portal = b -> b.bind("p", "s", "5").execute("p").sync();
            assertThat(caching.why(portal, c)).isEqualTo(CacheReason.EXCHANGE);
            Consumer<RawClient> twice = b -> b.bind("", "s", "5")
                    .execute("")
                    .bind("", "s", "6")
                    .execute("")
                    .sync();
            assertThat(caching.why(twice, c)).isEqualTo(CacheReason.EXCHANGE);
            Consumer<RawClient> whole = b -> b.bind("", "s", "5").execute("").sync();
            assertThat(caching.why(whole, c)).isEqualTo(CacheReason.HIT);
        }
    }

    @Test
    void whatDoesNotFollowFromTablesIsNotKept() {
        try (RawClient c = caching.login()) {
            Map<String, CacheReason> reasons = Map.of(
                    "SELECT 1", CacheReason.NO_TABLE,
                    "SELECT now(), v FROM t", CacheReason.MOMENT,
                    "SELECT v FROM t WHERE id < 100 * random()", CacheReason.CHANCE,
                    "SELECT pg_backend_pid(), v FROM t", CacheReason.SESSION,
                    "SELECT count(*) FROM pg_class", CacheReason.DEFINITIONS,
                    "SELECT v FROM t WHERE id = 1 FOR UPDATE", CacheReason.NOT_A_READ,
                    "EXPLAIN SELECT v FROM t", CacheReason.NOT_A_READ,
                    "COPY (SELECT v FROM t) TO STDOUT", CacheReason.NOT_A_READ,
                    "SELECT v FROM t WHERE current_date > 'yesterday'", CacheReason.MOMENT);
            reasons.forEach((sql, reason) ->
                    assertThat(caching.why(b -> b.query(sql), c)).as(sql).isEqualTo(reason));
            Consumer<RawClient> parameter = b -> b.parse("", "SELECT v FROM t WHERE $1::timestamp > '2020-01-01'")
                    .bind("", "", "yesterday")
                    .execute("")
                    .sync();
            assertThat(caching.why(parameter, c)).isEqualTo(CacheReason.TIME_PARAMETER);
            c.query("PREPARE p AS " + READ).readUntilReady();
            assertThat(caching.why(b -> b.query("EXECUTE p"), c)).isEqualTo(CacheReason.NOT_A_READ);
        }
    }

    @Test
    void hintsAreObeyed() {
        try (RawClient c = caching.login()) {
            assertThat(caching.why(b -> b.query("/* pgproxy: nocache */ " + READ), c))
                    .isEqualTo(CacheReason.HINT);
            assertThat(caching.why(b -> b.query("/* pgproxy: primary */ " + READ), c))
                    .isEqualTo(CacheReason.HINT);
            caching.know(c, READ);
            String tagged = "/* pgproxy: cache ttl=1h tag=a,b */ SELECT v FROM t WHERE id = 2";
            assertThat(caching.isHit(c, tagged)).isFalse();
            assertThat(caching.isHit(c, tagged)).isTrue();
            console("CACHE INVALIDATE TAG b");
            assertThat(caching.isHit(c, tagged)).isFalse();
            String brief = "/* pgproxy: cache ttl=1ms */ SELECT v FROM t WHERE id = 3";
            value(c, brief);
            await().until(() -> !caching.isHit(c, brief));
            c.query("SET pgproxy.route = 'nocache'").readUntilReady();
            assertThat(caching.why(b -> b.query(READ), c)).isEqualTo(CacheReason.HINT);
        }
    }

    private List<Message> console(String command) {
        return console().run(command);
    }

    private Endpoint console() {
        Endpoint proxied = caching.routed().proxied();
        return new Endpoint(proxied.host(), proxied.port(), "pgproxy", "postgres", proxied.password());
    }

    private String refusal(String command) {
        try (RawClient c = console().login()) {
            return c.query(command).readUntilReady().getFirst().field('C');
        }
    }

    @Test
    void theConsoleShowsAndForgets() {
        try (RawClient c = caching.login()) {
            caching.know(c, READ);
            value(c, READ);
            assertThat(caching.isHit(c, READ)).isTrue();
            assertThat(Message.rows(console("SHOW CACHE")).getFirst()).contains("on", "50.00 %");
            assertThat(Message.rows(console("SHOW CACHE TABLES"))).anyMatch(row -> row.contains("public.t"));
            List<@Nullable String> shape =
                    Message.rows(console("SHOW CACHE FINGERPRINTS")).getFirst();
            assertThat(String.valueOf(shape.get(7))).startsWith("SELECT v FROM t");
            assertThat(Message.rows(console("SHOW CACHE MISSES"))).anyMatch(row -> row.contains("hit"));
            for (String command : List.of(
                    "CACHE FLUSH",
                    "CACHE INVALIDATE TABLE public.t",
                    "CACHE INVALIDATE TABLE " + caching.routed().database() + " t",
                    "CACHE INVALIDATE FINGERPRINT " + shape.getFirst(),
                    "CACHE INVALIDATE PATTERN 'select v from %'")) {
                value(c, READ);
                assertThat(caching.isHit(c, READ)).as(command).isTrue();
                assertThat(Message.types(console(command))).as(command).isEqualTo("CZ");
                assertThat(caching.isHit(c, READ)).as(command).isFalse();
            }
            assertThat(refusal("CACHE INVALIDATE TABLE nowhere")).isEqualTo("42704");
            assertThat(refusal("CACHE PLEASE")).isEqualTo("42601");
        }
    }

    @Test
    void readsBeforeTheFirstWriteOfATransactionAreAnsweredWithoutAServer() {
        try (RawClient c = caching.login()) {
            caching.know(c, READ);
            value(c, READ);
            long begun = caching.count(CacheReason.HIT);
            c.query("BEGIN").readUntilReady();
            List<Message> answer = c.query(READ).readUntilReady();
            assertThat(answer.getLast().body()).containsExactly('T');
            assertThat(caching.count(CacheReason.HIT)).isEqualTo(begun + 1);
            c.query("UPDATE t SET v = 12 WHERE id = 1").readUntilReady();
            assertThat(value(c, READ)).isEqualTo("12");
            c.query("ROLLBACK").readUntilReady();
            assertThat(value(c, READ)).isEqualTo("10");
            c.query("BEGIN ISOLATION LEVEL REPEATABLE READ").readUntilReady();
            assertThat(caching.why(b -> b.query(READ), c)).isEqualTo(CacheReason.TRANSACTION);
            c.query("COMMIT").readUntilReady();
        }
    }

    @Test
    void aLargeResultIsKeptWhenItIsAskedForAgain() {
        try (RawClient c = caching.login()) {
            String wide = "SELECT * FROM wide";
            caching.know(c, wide);
            List<Message> wanted = c.query(wide).readUntilReady();
            assertThat(caching.isHit(c, wide)).isFalse();
            assertThat(caching.isHit(c, wide)).isTrue();
            assertThat(c.query(wide).readUntilReady()).isEqualTo(wanted);
            String tooWide = "SELECT a.* FROM wide a, generate_series(1, 10)";
            for (int i = 0; i < 4; i++) {
                assertThat(caching.isHit(c, tooWide)).isFalse();
            }
        }
    }

    @Test
    void manyWhoAskTheSameAskTheServerOnce() {
        List<RawClient> clients = new ArrayList<>();
        try (RawClient locking = caching.routed().direct().login();
                RawClient first = caching.login()) {
            caching.know(first, READ);
            locking.query("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE").readUntilReady();
            for (int i = 0; i < 500; i++) {
                clients.add(caching.routed().proxied().login());
            }
            long misses = caching.count(CacheReason.MISS);
            clients.forEach(client -> client.query("SELECT v FROM t WHERE id = 8"));
            await().until(() -> waiting(locking).equals("1"));
            locking.query("ROLLBACK").readUntilReady();
            clients.forEach(
                    client -> assertThat(Message.row(client.readUntilReady())).containsExactly("80"));
            assertThat(caching.count(CacheReason.MISS)).isEqualTo(misses + 1);
        } finally {
            clients.forEach(RawClient::close);
        }
    }

    @Test
    void whatHardlyRepeatsIsLookedUpNowAndThenUntilItDoes() {
        try (RawClient c = caching.login()) {
            caching.know(c, READ);
            askOnce(c, 0, 2000);
            assertThat(caching.count(CacheReason.SELDOM)).isBetween(500L, 1000L);
            assertThat(caching.count(CacheReason.HIT)).isZero();
            String last = "SELECT v FROM t WHERE id = 1999";
            await().until(() -> {
                askOnce(c, 1000, 2000); // again and again
                return caching.isHit(c, last);
            });
        }
    }

    private static void askOnce(RawClient c, int from, int to) {
        for (int id = from; id < to; id++) {
            c.query("SELECT v FROM t WHERE id = " + id).readUntilReady();
        }
    }

    @Test
    void aReaderThatGoesAwayLetsTheOthersAsk() {
        try (RawClient locking = caching.routed().direct().login();
                RawClient c = caching.login()) {
            caching.know(c, READ);
            RawClient leaving = caching.routed().proxied().login();
            locking.query("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE").readUntilReady();
            leaving.query("SELECT v FROM t WHERE id = 9");
            await().until(() -> waiting(locking).equals("1"));
            c.query("SELECT v FROM t WHERE id = 9");
            leaving.close();
            await().until(() -> waiting(locking).equals("2"));
            locking.query("ROLLBACK").readUntilReady();
            assertThat(Message.row(c.readUntilReady())).containsExactly("90");
        }
    }

    /** How many wait for the lock on the table. */
    private static String waiting(RawClient locking) {
        return String.valueOf(
                value(locking, "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 't'::regclass"));
    }
}
