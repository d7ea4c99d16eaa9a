package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.ProxyUnderTest;
import dev.pgproxy.testing.RawClient;
import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Many more clients than servers: who has waited longest is next, and nobody is forgotten. */
@Timeout(600)
final class CrowdIT {
    private static final Logger LOG = LoggerFactory.getLogger(CrowdIT.class);
    private static final int SERVERS = 20;

    /** {@code -Dcrowd.clients=5000} for more. */
    private static final int CLIENTS = Integer.getInteger("crowd.clients", 500);

    /** How often each is served until the counts are compared. */
    private static final int TURNS = 10;

    private final AtomicIntegerArray turns = new AtomicIntegerArray(CLIENTS);
    private final AtomicBoolean over = new AtomicBoolean();
    private final Queue<Long> waits = new ConcurrentLinkedQueue<>();
    private final CountDownLatch ready = new CountDownLatch(CLIENTS);

    private void live(RawClient client, int number) {
        try (client) {
            ready.countDown();
            ready.await();
            while (!over.get()) {
                long begun = System.nanoTime();
                assertThat(Message.types(client.query("SELECT pg_sleep(0.002)").readUntilReady()))
                        .isEqualTo("TDCZ");
                waits.add(System.nanoTime() - begun);
                turns.incrementAndGet(number);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private int[] counts() {
        int[] counts = new int[CLIENTS];
        Arrays.setAll(counts, turns::get);
        return counts;
    }

    @Test
    void everybodyHasHisTurn() throws Exception {
        ProxyUnderTest.InThisJvm under = ProxyUnderTest.with("default_pool_size = " + SERVERS
                + "\nmax_client_conn = 10000\nquery_wait_timeout = 0\nclient_login_timeout = 5min");
        int[] counts;
        try (PgProxy proxy = under.proxy();
                ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < CLIENTS; i++) {
                int number = i;
                RawClient client = under.proxied().login();
                clients.submit(() -> live(client, number));
            }
            await().until(() -> Arrays.stream(counts()).sum() >= CLIENTS * TURNS);
            counts = counts();
            over.set(true);
            assertThat(proxy.pools().all()).hasSize(1);
        }
        long[] sorted = waits.stream().mapToLong(Long::longValue).sorted().toArray();
        LOG.info(
                "{} clients, {} servers: {} to {} turns each; a turn took {} ms, 99 of 100 less than {}, none more than {}",
                CLIENTS,
                SERVERS,
                Arrays.stream(counts).min().orElseThrow(),
                Arrays.stream(counts).max().orElseThrow(),
                sorted[sorted.length / 2] / 1_000_000,
                sorted[sorted.length * 99 / 100] / 1_000_000,
                sorted[sorted.length - 1] / 1_000_000);
        assertThat(Arrays.stream(counts).min().orElseThrow() * 2)
                .isGreaterThanOrEqualTo(Arrays.stream(counts).max().orElseThrow());
    }
}
