package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.ProxyUnderTest;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.StressSession;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Servers lent from one event loop to another: four loops, three servers, so that most leases are foreign. {@code
 * -Dstress.seed} repeats what each client does, {@code -Dforeign.seconds} is how long.
 */
final class ForeignLeaseIT {
    private static final Logger LOG = LoggerFactory.getLogger(ForeignLeaseIT.class);
    private static final int CLIENTS = 100;
    private static final ProxyUnderTest.InThisJvm PROXY =
            ProxyUnderTest.with("threads = 4\ndefault_pool_size = 3\nquery_wait_timeout = 120s\n");

    private final Endpoint proxied = PROXY.proxied();
    private final Endpoint direct = PROXY.direct();
    private final long seed = Long.getLong("stress.seed", System.nanoTime());
    private final Duration duration = Duration.ofSeconds(Integer.getInteger("foreign.seconds", 6));

    @AfterAll
    static void stop() {
        PROXY.proxy().close();
    }

    @Test
    void everyClientReadsItsOwnOnServersOfOtherLoops() throws Exception {
        LOG.info("-Dstress.seed={}", seed);
        proxied.run("DROP TABLE IF EXISTS stress_rows; CREATE TABLE stress_rows (client int, n int)");
        AtomicBoolean stop = new AtomicBoolean();
        AtomicLong steps = new AtomicLong();
        long deadline = System.nanoTime() + duration.toNanos();
        everybody(number -> {
            try (StressSession session = new StressSession(proxied, number, seed)) {
                while (!stop.get() && System.nanoTime() < deadline) {
                    session.step();
                    steps.incrementAndGet();
                }
            } catch (AssertionError | RuntimeException e) {
                stop.set(true);
                throw new AssertionError("-Dstress.seed=" + seed, e);
            }
        });
        LOG.info("{} steps of {} clients", steps, CLIENTS);
        assertThat(steps.get()).as("steps, -Dstress.seed=%s", seed).isGreaterThan(CLIENTS);
        allServersAreIdle();
    }

    /** Rows in many reads and larger than the sockets' buffers, to clients that stop reading for a while. */
    @Test
    void longResultsReachSlowReadersOfOtherLoopsWhole() throws Exception {
        everybody(number -> {
            try (RawClient client = proxied.login()) {
                for (int round = 0; round < 3; round++) {
                    client.query(
                            "SELECT " + number + ", repeat('c" + number + " ', 2000) FROM generate_series(1, 300)");
                    List<Message> answer = client.readUntilReady();
                    assertThat(Message.types(answer)).isEqualTo("T" + "D".repeat(300) + "CZ");
                    String value = ("c" + number + " ").repeat(2000);
                    for (Message message : answer) {
                        if (message.type() == 'D') {
                            assertThat(message.values()).containsExactly(Integer.toString(number), value);
                        }
                    }
                }
            }
        });
        allServersAreIdle();
    }

    /** Backends end while they are lent: their clients learn it, and the others go on. */
    @Test
    void serversThatAreLostWhileLentAreReplaced() throws Exception {
        Queue<Message> refusals = new ConcurrentLinkedQueue<>();
        AtomicBoolean over = new AtomicBoolean();
        try (ExecutorService killer = Executors.newSingleThreadExecutor()) {
            Future<?> killing = killer.submit(() -> {
                while (!over.get()) {
                    direct.run("SELECT pg_terminate_backend(pid), pg_sleep(0.05) FROM pg_stat_activity"
                            + " WHERE datname = current_database() AND pid <> pg_backend_pid() LIMIT 1");
                }
            });
            try {
                everybody(number -> {
                    AtomicInteger done = new AtomicInteger();
                    await("client " + number + " is answered")
                            .atMost(90, TimeUnit.SECONDS)
                            .pollDelay(Duration.ZERO)
                            .until(() -> done.addAndGet(selectSome(number, 10 - done.get(), refusals)) == 10);
                });
            } catch (ExecutionException e) {
                throw new AssertionError("refused: " + refusals, e);
            } finally {
                over.set(true);
            }
            killing.get(1, TimeUnit.MINUTES);
        }
        allServersAreIdle();
    }

    /**
     * How many of the queries were answered before the server was lost, if it was. A backend looks for its end between rows, too:
     * then a part of the answer comes before the error.
     */
    private int selectSome(int number, int queries, Queue<Message> refusals) {
        try (RawClient client = proxied.connect()) {
            Message login = client.login(proxied.user(), proxied.password(), proxied.database())
                    .getLast();
            if (!login.isReady()) {
                refusals.add(login);
                return 0;
            }
            for (int done = 0; done < queries; done++) {
                List<Message> answer = client.query("SELECT " + number).readUntilReady();
                if (!Message.types(answer).equals("TDCZ")) {
                    assertThat(Message.types(answer)).as("%s", answer).matches("T?D?C?E.*");
                    refusals.addAll(answer);
                    return done;
                }
                assertThat(answer.get(1).values()).containsExactly(Integer.toString(number));
            }
            return queries;
        }
    }

    private interface Life {
        void live(int number);
    }

    private void everybody(Life life) throws Exception {
        try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                int number = i;
                running.add(clients.submit(() -> life.live(number)));
            }
            for (Future<?> each : running) {
                each.get(duration.toSeconds() + 120, TimeUnit.SECONDS);
            }
        }
    }

    private void allServersAreIdle() {
        String open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                + " AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND state <> 'idle'";
        await("no server is busy").until(() -> direct.run(open).get(1).values().equals(List.of("0")));
    }
}
