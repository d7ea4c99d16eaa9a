package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Frontend;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.PlantedFault;
import dev.pgproxy.testing.ProxyUnderTest;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.StressSession;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The checkers of what must never happen are shown to catch it: each passes on the proxy as it is, and fails on one
 * with the fault planted.
 */
final class PlantedFaultIT {
    private static final Logger LOG = LoggerFactory.getLogger(PlantedFaultIT.class);
    private static final int CLIENTS = 12;

    /** Something that throws an AssertionError where a promise is broken. */
    private interface Checker {
        void check(Endpoint proxied, Duration duration) throws Exception;
    }

    @Test
    void alignmentThatFailsInSilenceIsCaught() throws Exception {
        caught(PlantedFault.empty("dev.pgproxy.query.StatementAlignment", "everything"), PlantedFaultIT::stress);
    }

    @Test
    void aServerReleasedBeforeItsLastReplyIsCaught() throws Exception {
        caught(PlantedFault.answering("dev.pgproxy.server.ReplyQueue", "isEmpty", true), PlantedFaultIT::stress);
    }

    @Test
    void aCancelThatHitsTheNextClientIsCaught() throws Exception {
        caught(PlantedFault.answering("dev.pgproxy.query.Cancels", "mayStrike", false), PlantedFaultIT::cancelRace);
    }

    @Test
    void aStatementSharedBetweenEncodingsIsCaught() throws Exception {
        caught(
                PlantedFault.withoutFirst("dev.pgproxy.session.SharedStatements$Scope"),
                (proxied, duration) -> encodings(proxied));
    }

    private static void caught(PlantedFault fault, Checker checker) throws Exception {
        String settings = "default_pool_size = 2\nthreads = 1\n";
        ProxyUnderTest.InThisJvm sound = ProxyUnderTest.with(settings);
        try (PgProxy proxy = sound.proxy()) {
            checker.check(sound.proxied(), Duration.ofSeconds(2));
        }
        try (PlantedFault.Faulty faulty = fault.start(settings)) {
            Endpoint direct = sound.direct();
            Endpoint proxied =
                    new Endpoint("127.0.0.1", faulty.port(), direct.database(), direct.user(), direct.password());
            assertThatThrownBy(() -> checker.check(proxied, Duration.ofSeconds(30)))
                    .isInstanceOf(AssertionError.class)
                    .satisfies(e -> LOG.info(
                            "caught: {}", e.toString().lines().findFirst().orElse("")));
        }
    }

    /** Clients that know what they must read, as in {@link PoolStressIT}. */
    private static void stress(Endpoint proxied, Duration duration) throws Exception {
        long seed = System.nanoTime();
        LOG.info("seed {}", seed);
        proxied.run("DROP TABLE IF EXISTS stress_rows; CREATE TABLE stress_rows (client int, n int)");
        AtomicBoolean stop = new AtomicBoolean();
        long deadline = System.nanoTime() + duration.toNanos();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            ExecutorCompletionService<Boolean> running = new ExecutorCompletionService<>(threads);
            for (int number = 0; number < CLIENTS; number++) {
                int client = number;
                running.submit(() -> {
                    try (StressSession session = new StressSession(proxied, client, seed)) {
                        while (!stop.get() && System.nanoTime() < deadline) {
                            session.step();
                        }
                        return true;
                    } finally {
                        stop.set(stop.get() || System.nanoTime() < deadline);
                    }
                });
            }
            try {
                for (int number = 0; number < CLIENTS; number++) {
                    running.take().get();
                }
            } finally {
                threads.shutdownNow(); // who waits for an answer that went elsewhere would do so for long
            }
        } catch (ExecutionException e) {
            throw new AssertionError("seed " + seed, e.getCause());
        }
    }

    /** One client is cancelled about when its query ends by itself; what another does next must not be. */
    private static void cancelRace(Endpoint proxied, Duration duration) throws Exception {
        long deadline = System.nanoTime() + duration.toNanos();
        try (RawClient victim = proxied.login();
                RawClient holder = proxied.login();
                RawClient next = proxied.login()) {
            holder.query("BEGIN").readUntilReady(); // one server is left
            while (System.nanoTime() < deadline) {
                victim.query("SELECT pg_sleep(0.001)");
                Message key = victim.keyData();
                try (RawClient canceller = proxied.connect()) {
                    canceller.raw(Frontend.cancelRequest(key.processId(), key.secretKey()));
                    victim.readUntilReady();
                    List<Message> answer = next.query("SELECT pg_sleep(0.002)").readUntilReady();
                    assertThat(Message.types(answer)).as(answer.toString()).isEqualTo("TDCZ");
                }
            }
        }
    }

    /** The same bytes are another text in another encoding. */
    private static void encodings(Endpoint proxied) {
        for (String encoding : new String[] {"UTF8", "LATIN1", "UTF8"}) {
            try (RawClient client = proxied.login()) {
                client.query("SET client_encoding = '" + encoding + "'").readUntilReady();
                client.parse("s", "SELECT length('é')")
                        .bind("", "s")
                        .execute("")
                        .sync();
                assertThat(Message.row(client.readUntilReady()).getFirst())
                        .as(encoding)
                        .isEqualTo(encoding.equals("UTF8") ? "1" : "2");
                client.terminate().readUntilClosed();
            }
        }
    }
}
