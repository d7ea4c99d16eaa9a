package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.results.CacheReason;
import dev.pgproxy.testing.CachingProxy;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Before or after the end of a result's time one read asks a server, and the others are still served. */
class CacheRenewalIT {
    private static final String READ = "SELECT v FROM t WHERE id = 1";

    private final CachingProxy caching = CachingProxy.start(
            "cache_ttl = 1h\ncache_flight_wait = 30s",
            "CREATE TABLE t (id int PRIMARY KEY, v int)",
            "INSERT INTO t VALUES (1, 10), (2, 20)");

    @AfterEach
    void stop() {
        caching.close();
    }

    private void set(String setting) {
        console("SET " + setting);
    }

    private void console(String command) {
        try (RawClient console =
                caching.routed().proxied().withDatabase("pgproxy").login()) {
            console.query(command).readUntilReady();
        }
    }

    /** Kept under these settings. */
    private void keep(RawClient client, String... settings) {
        for (String setting : settings) {
            set(setting);
        }
        caching.know(client, READ);
        client.query(READ).readUntilReady();
    }

    private static @Nullable String answer(RawClient client) {
        return Message.row(client.readUntilReady()).getFirst();
    }

    private static @Nullable String read(RawClient client) {
        return answer(client.query(READ));
    }

    private long renewals() {
        return caching.count(CacheReason.RENEWAL);
    }

    /** While the table is locked: whoever is due waits, the others are served the old value until it has its answer. */
    private void oneRenewsAndTheOthersAreServed() {
        try (RawClient first = caching.login();
                RawClient other = caching.login();
                RawClient outside = caching.routed().direct().login()) {
            outside.query("BEGIN; UPDATE t SET v = 11 WHERE id = 1; LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
                    .readUntilReady();
            long before = renewals();
            first.query(READ);
            await().until(() -> renewals() == before + 1);
            for (int i = 0; i < 20; i++) {
                assertThat(read(other)).isEqualTo("10");
            }
            assertThat(renewals()).isEqualTo(before + 1);
            outside.query("COMMIT").readUntilReady();
            assertThat(answer(first)).isEqualTo("11");
            assertThat(read(other)).isEqualTo("11");
        }
    }

    @Test
    void inItsLastTimeOneReadRenewsTheResult() {
        try (RawClient client = caching.login()) {
            keep(client, "cache_refresh_ahead = 90", "cache_ttl = 20s");
            await().until(() -> {
                long before = renewals();
                client.query(READ).readUntilReady();
                return renewals() > before;
            });
            assertThat(caching.isHit(client, READ)).as("new again").isTrue();
            set("cache_ttl = 1ms"); // the next one is due soon, and over soon after
            set("cache_serve_stale = 1h");
            console("CACHE FLUSH"); // and no write, of which the change feed tells a moment later
            client.query(READ).readUntilReady();
            oneRenewsAndTheOthersAreServed();
        }
    }

    @Test
    void afterItsTimeAResultIsServedWhileOneAsks() {
        try (RawClient client = caching.login()) {
            keep(client, "cache_serve_stale = 1h", "cache_ttl = 1ms");
            oneRenewsAndTheOthersAreServed();
        }
    }

    @Test
    void whoAsksIsToldThatItIsHisTurn() {
        try (RawClient client = caching.login()) {
            keep(client, "cache_serve_stale = 1h", "cache_ttl = 1ms");
            String told = String.valueOf(
                    Message.rows(client.query("EXPLAIN (ROUTE) " + READ).readUntilReady()));
            assertThat(told).contains("[cache, miss]").contains("renewal: ");
        }
    }

    @Test
    void afterItsTimeNothingIsServedThatWasWritten() {
        try (RawClient client = caching.login();
                RawClient other = caching.login()) {
            keep(client, "cache_serve_stale = 1h", "cache_ttl = 1h");
            set("cache_ttl = 1ms");
            other.query("UPDATE t SET v = 12 WHERE id = 1").readUntilReady();
            assertThat(read(client)).isEqualTo("12");
            assertThat(renewals()).isZero();
        }
    }

    @Test
    void aReadThatAsksForLessIsNotServedWhatIsOver() {
        try (RawClient client = caching.login()) {
            keep(client, "cache_serve_stale = 1h", "cache_ttl = 1ms");
            caching.routed().direct().run("UPDATE t SET v = 13 WHERE id = 1");
            String asking = "/* pgproxy: cache ttl=1ms */ " + READ;
            caching.know(client, asking);
            assertThat(answer(client.query(asking))).isEqualTo("13");
        }
    }

    @Test
    void aRenewalThatFailsLeavesTheNextOneToTheNextReader() {
        try (RawClient client = caching.login();
                RawClient other = caching.login();
                RawClient outside = caching.routed().direct().login()) {
            keep(client, "cache_serve_stale = 1h", "cache_ttl = 1ms");
            outside.query("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE").readUntilReady();
            long before = renewals();
            client.query(READ);
            await().until(() -> renewals() == before + 1);
            assertThat(read(other)).isEqualTo("10");
            caching.routed()
                    .direct()
                    .run("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
            assertThat(client.readUntilReady()).anyMatch(message -> message.type() == 'E');
            other.query(READ);
            await().until(() -> renewals() == before + 2);
            outside.query("COMMIT").readUntilReady();
            assertThat(answer(other)).isEqualTo("10");
        }
    }
}
