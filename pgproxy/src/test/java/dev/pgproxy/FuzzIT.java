package dev.pgproxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.testing.Conversations;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Frontend;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.Mutator;
import dev.pgproxy.testing.ProxyUnderTest;
import dev.pgproxy.testing.RawClient;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Damaged conversations, hundreds of them, beside a client that must not notice. {@code -Dfuzz.runs} is how many,
 * {@code -Dfuzz.seed} repeats a run; each conversation depends on the seed and its number only.
 */
final class FuzzIT {
    private static final Logger LOG = LoggerFactory.getLogger(FuzzIT.class);
    private static final int THREADS = 2;
    private static final int QUIET_MILLIS = 40;
    private static final Pattern MARKER = Pattern.compile("mk_[0-9a-f]{16}");

    private final Endpoint endpoint = ProxyUnderTest.shared().proxied();
    private final int runs = Integer.getInteger("fuzz.runs", 500);
    private final long seed = Long.getLong("fuzz.seed", System.nanoTime());
    private final Set<String> issued = ConcurrentHashMap.newKeySet();

    @Test
    void damagedConversationsHarmNobodyElse() throws Exception {
        LOG.info("-Dfuzz.seed={} -Dfuzz.runs={}", seed, runs);
        endpoint.run("DROP TABLE IF EXISTS fuzz_control; CREATE TABLE fuzz_control AS"
                + " SELECT 'control' AS marker, g AS n FROM generate_series(1, 100) g");
        AtomicInteger next = new AtomicInteger();
        AtomicBoolean over = new AtomicBoolean();
        try (ExecutorService threads = Executors.newCachedThreadPool()) {
            Future<Integer> control = threads.submit(() -> control(over));
            List<Future<?>> fuzzers = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                fuzzers.add(threads.submit(() -> {
                    for (int run = next.getAndIncrement(); run < runs; run = next.getAndIncrement()) {
                        converse(run);
                    }
                }));
            }
            try {
                for (Future<?> fuzzer : fuzzers) {
                    fuzzer.get(10, TimeUnit.MINUTES);
                }
            } finally {
                next.set(runs);
                over.set(true);
            }
            assertThat(control.get(1, TimeUnit.MINUTES))
                    .as("rounds of the control client")
                    .isPositive();
        }
        for (int i = 0; i < 20; i++) {
            endpoint.run("SELECT " + i);
        }
        endpoint.run("DROP TABLE fuzz_control");
    }

    private void converse(int run) {
        Mutator mutator = new Mutator(seed * 31 + run);
        String marker = "mk_" + HexFormat.of().toHexDigits(mutator.random().nextLong());
        issued.add(marker);
        List<byte[]> messages = Conversations.any(marker, mutator.random());
        boolean damagedStartup = mutator.random().nextInt(8) == 0;
        if (damagedStartup) {
            messages = new ArrayList<>(messages);
            messages.addFirst(Frontend.startup(
                    Frontend.VERSION_3_0,
                    RawClient.parameters(
                            "user", endpoint.user(), "database", endpoint.database(), "fuzz.marker", marker)));
        }
        messages = mutator.mutate(messages);
        try (RawClient client = damagedStartup ? endpoint.connect() : endpoint.login()) {
            for (byte[] piece : mutator.cut(messages)) {
                client.raw(piece);
            }
            check(marker, client.readAvailable(QUIET_MILLIS));
            if (mutator.random().nextBoolean()) {
                client.terminate();
                check(marker, client.readAvailable(QUIET_MILLIS));
            }
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("-Dfuzz.seed=" + seed + ", conversation " + run + ":\n" + shown(messages), e);
        }
    }

    private void check(String own, List<Message> received) {
        for (Message message : received) {
            Matcher markers = MARKER.matcher(new String(message.body(), ISO_8859_1));
            while (markers.find()) {
                // a marker that the damage made up belongs to nobody
                if (!markers.group().equals(own) && issued.contains(markers.group())) {
                    throw new AssertionError("session " + own + " received what is another's: " + message);
                }
            }
        }
    }

    /** Asks for its own rows on one connection and on fresh ones; returns how often. */
    private int control(AtomicBoolean over) {
        int rounds = 0;
        while (!over.get()) {
            try (RawClient client = endpoint.login()) {
                for (int i = 0; i < 20; i++, rounds++) {
                    client.query("SELECT marker, count(*), sum(n) FROM fuzz_control GROUP BY marker");
                    expect("TDCZ", List.of("control", "100", "5050"), client.readUntilReady());
                    String echo = "control " + rounds;
                    client.parse("", "SELECT $1::text, 7")
                            .bind("", "", echo)
                            .execute("")
                            .sync();
                    expect("12DCZ", List.of(echo, "7"), client.readUntilReady());
                }
                client.terminate().readUntilClosed();
            }
        }
        return rounds;
    }

    private void expect(String types, List<String> row, List<Message> answer) {
        assertThat(Message.types(answer)).as("-Dfuzz.seed=%s: %s", seed, answer).isEqualTo(types);
        for (Message message : answer) {
            if (message.type() == 'D') {
                assertThat(message.values()).as("-Dfuzz.seed=%s", seed).isEqualTo(row);
            }
        }
    }

    private static String shown(List<byte[]> messages) {
        StringBuilder text = new StringBuilder();
        for (byte[] message : messages) {
            text.append(HexFormat.of().formatHex(message)).append('\n');
        }
        return text.toString();
    }
}
