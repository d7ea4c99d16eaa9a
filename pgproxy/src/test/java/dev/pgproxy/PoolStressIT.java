package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.ProxyUnderTest;
import dev.pgproxy.testing.StressSession;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Two hundred clients at once that set, prepare, fail, write and vanish at random, each with a model of what it must
 * read. {@code -Dstress.seed} repeats what each client does (not how they interleave), {@code -Dstress.seconds} is how
 * long.
 */
final class PoolStressIT {
    private static final Logger LOG = LoggerFactory.getLogger(PoolStressIT.class);
    private static final int CLIENTS = 200;
    private static final int MOST_STEPS = 2_000;

    private final Endpoint proxied = ProxyUnderTest.shared().proxied();
    private final Endpoint direct = ProxyUnderTest.shared().direct();
    private final long seed = Long.getLong("stress.seed", System.nanoTime());
    private final Duration duration = Duration.ofSeconds(Integer.getInteger("stress.seconds", 8));

    @Test
    void everyClientReadsItsOwnAndNoServerIsLost() throws Exception {
        LOG.info("-Dstress.seed={}", seed);
        proxied.run("DROP TABLE IF EXISTS stress_rows; CREATE TABLE stress_rows (client int, n int)");
        AtomicBoolean stop = new AtomicBoolean();
        AtomicLong steps = new AtomicLong();
        long deadline = System.nanoTime() + duration.toNanos();
        try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> running = new ArrayList<>();
            for (int number = 0; number < CLIENTS; number++) {
                int client = number;
                running.add(clients.submit(() -> live(client, deadline, stop, steps)));
            }
            try {
                for (Future<?> each : running) {
                    each.get(duration.toSeconds() + 120, TimeUnit.SECONDS);
                }
            } finally {
                stop.set(true);
            }
        }
        LOG.info("{} steps of {} clients", steps, CLIENTS);
        assertThat(steps.get()).as("steps, -Dstress.seed=%s", seed).isGreaterThan(CLIENTS);
        nothingIsLeftOpen();
        freshSessionsAreFresh();
        proxied.run("DROP TABLE stress_rows");
    }

    private void live(int number, long deadline, AtomicBoolean stop, AtomicLong steps) {
        try (StressSession session = new StressSession(proxied, number, seed)) {
            for (int i = 0; i < MOST_STEPS && !stop.get() && System.nanoTime() < deadline; i++) {
                session.step();
                steps.incrementAndGet();
            }
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("-Dstress.seed=" + seed, e);
        }
    }

    /** No transaction and no lock survives its client. */
    private void nothingIsLeftOpen() {
        String open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                + " AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND state <> 'idle'";
        await("no server is busy").until(() -> first(direct.run(open)).equals("0"));
    }

    /** As many clients at once as before are all served, and none sees what others set. */
    private void freshSessionsAreFresh() throws Exception {
        String look =
                "SELECT current_setting('application_name') || coalesce(current_setting('stress.tenant', true), '')"
                        + " || current_setting('search_path')";
        try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<String>> looks = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                looks.add(clients.submit(() -> first(proxied.run(look))));
            }
            for (Future<String> each : looks) {
                assertThat(each.get(60, TimeUnit.SECONDS)).isEqualTo("\"$user\", public");
            }
        }
    }

    private static String first(List<Message> answer) {
        return String.valueOf(Message.row(answer).getFirst());
    }
}
