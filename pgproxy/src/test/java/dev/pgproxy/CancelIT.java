package dev.pgproxy;

import static dev.pgproxy.testing.Transcript.assertSame;
import static dev.pgproxy.testing.Transcript.assertSameFromStart;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Frontend;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.ProxyUnderTest;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.Transcript;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** CancelRequest: it stops what its client runs now, and nothing else, ever. */
final class CancelIT {
    private static final String WAITS = "SELECT pg_advisory_xact_lock(4711)";
    private static final String SLEEP = "SELECT pg_sleep(30) /* to be cancelled */";

    /** Returns once PostgreSQL runs the statement. */
    private static void awaitRunning(String sql) {
        Endpoint direct = ProxyUnderTest.shared().direct();
        String count = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()"
                + " AND query LIKE '%" + sql.replace("'", "''") + "%'";
        await("running: " + sql)
                .until(() -> direct.run(count).stream()
                        .anyMatch(message -> message.type() == 'D'
                                && "1".equals(message.values().getFirst())));
    }

    /** Until this one is closed, {@link #WAITS} runs. */
    private static void hold(RawClient holder) {
        holder.query("SELECT pg_advisory_lock(4711)").readUntilReady();
    }

    private static void cancel(Transcript t, RawClient victim) {
        Message key = victim.keyData();
        try (RawClient canceller = t.endpoint().connect()) {
            t.expect(
                    "!",
                    canceller.cancelRequest(key.processId(), key.secretKey()).readUntilClosed());
        }
    }

    private static void cancelWith(Transcript t, int processId, byte[] key) {
        try (RawClient canceller = t.endpoint().connect()) {
            t.expect("!", canceller.cancelRequest(processId, key).readUntilClosed());
        }
    }

    @Test
    void aRunningQueryIsCancelled() {
        assertSame((c, t) -> {
            c.query(SLEEP);
            awaitRunning(SLEEP);
            cancel(t, c);
            t.expect("TEZ", c.readUntilReady());
            t.expect("TDCZ", c.query("SELECT 'and goes on'").readUntilReady());
        });
    }

    @Test
    void aCancelledTransactionFails() {
        assertSame((c, t) -> {
            c.query("BEGIN").readUntilReady();
            c.query(SLEEP);
            awaitRunning(SLEEP);
            cancel(t, c);
            t.expect("TEZ", c.readUntilReady());
            t.expect("CZ", c.query("ROLLBACK").readUntilReady());
        });
    }

    @Test
    void inAPipelineOnlyTheRunningExchangeIsCancelled() {
        assertSame((c, t) -> {
            c.batch(b -> b.parse("", SLEEP)
                    .bind("", "")
                    .execute("")
                    .parse("", "SELECT 'skipped'")
                    .bind("", "")
                    .execute("")
                    .sync()
                    .query("SELECT 'not skipped'"));
            awaitRunning(SLEEP);
            cancel(t, c);
            t.expect("12EZTDCZ", c.readUntilReady(2));
        });
    }

    @Test
    void cancellingAnIdleClientDoesNothing() {
        assertSame((c, t) -> {
            cancel(t, c);
            t.expect("", c.readAvailable(50));
            t.expect("TDCZ", c.query("SELECT 1").readUntilReady());
            c.query("BEGIN").readUntilReady();
            cancel(t, c);
            t.expect("TDCZ", c.query("SELECT 1").readUntilReady());
            c.query("COMMIT").readUntilReady();
        });
    }

    @Test
    void cancelNeverStrikesAnotherClient() {
        assertSame((c, t) -> {
            RawClient d = t.another("d");
            try (RawClient holder = ProxyUnderTest.shared().direct().login()) {
                hold(holder);
                d.query(WAITS);
                awaitRunning(WAITS);
                for (int i = 0; i < 5; i++) {
                    cancel(t, c);
                }
            }
            t.expect("TDCZ", d.readUntilReady());
        });
    }

    @Test
    void aWrongKeyDoesNothing() {
        assertSame((c, t) -> {
            try (RawClient holder = ProxyUnderTest.shared().direct().login()) {
                hold(holder);
                c.query(WAITS);
                awaitRunning(WAITS);
                byte[] key = c.keyData().secretKey();
                key[0] ^= 1;
                cancelWith(t, c.keyData().processId(), key);
                cancelWith(t, c.keyData().processId(), Arrays.copyOf(key, key.length + 4));
                cancelWith(t, c.keyData().processId(), new byte[0]);
                cancelWith(t, c.keyData().processId() ^ 0x10000, c.keyData().secretKey());
            }
            t.expect("TDCZ", c.readUntilReady());
        });
    }

    @Test
    void aLongKeyOfProtocol32Cancels() {
        assertSameFromStart((c, t) -> {
            Endpoint endpoint = t.endpoint();
            c.login(
                    Frontend.VERSION_3_2,
                    endpoint.password(),
                    RawClient.parameters("user", endpoint.user(), "database", endpoint.database()));
            t.note("the key is longer than 4 bytes: " + (c.keyData().secretKey().length > 4));
            c.query(SLEEP);
            awaitRunning(SLEEP);
            byte[] key = c.keyData().secretKey();
            cancelWith(t, c.keyData().processId(), Arrays.copyOf(key, 4));
            key[key.length - 1] ^= 1;
            cancelWith(t, c.keyData().processId(), key);
            t.expect("", c.readAvailable(100));
            cancel(t, c);
            t.expect("TEZ", c.readUntilReady());
        });
    }

    @Test
    void aCopyIsCancelled() {
        assertSame((c, t) -> {
            c.query("CREATE TEMP TABLE target (a int)").readUntilReady();
            c.query("COPY target FROM STDIN").readUntil('G');
            c.copyData("1\n");
            awaitRunning("COPY target FROM STDIN");
            cancel(t, c);
            c.copyData("2\n").copyDone();
            t.expect("EZ", c.readUntilReady());
            c.query("SELECT count(*) FROM target").readUntilReady();
        });
    }

    @Test
    void aWaitForALockIsCancelled() {
        assertSame((c, t) -> {
            RawClient d = t.another("d");
            d.query("SELECT pg_advisory_lock(4720)").readUntilReady();
            String sql = "SELECT pg_advisory_lock(4720) /* waits */";
            c.query(sql);
            awaitRunning(sql);
            cancel(t, c);
            t.expect("TEZ", c.readUntilReady());
            d.query("SELECT pg_advisory_unlock(4720)").readUntilReady();
        });
    }

    @Test
    void aClientThatVanishesWhileItsQueryRunsLeavesItsServerClean() {
        assertSame((c, t) -> {
            String sql = "SELECT pg_sleep(60), repeat('left over', 1000) /* vanishes */";
            RawClient d = t.another("d");
            d.query(sql);
            awaitRunning(sql);
            d.close();
            for (int i = 0; i < 20; i++) {
                t.expect("TDCZ", c.query("SELECT " + i).readUntilReady());
            }
            end(sql);
        });
    }

    /** PostgreSQL goes on with the statement of a client that has vanished. */
    private static void end(String sql) {
        ProxyUnderTest.shared()
                .direct()
                .run("SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE state = 'active'"
                        + " AND pid <> pg_backend_pid() AND query = '" + sql.replace("'", "''") + "'");
    }
}
