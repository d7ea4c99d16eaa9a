package dev.pgproxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.ProxyUnderTest;
import dev.pgproxy.testing.RawClient;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Many clients that listen over two servers and two event loops, which PostgreSQL itself does for none of them. */
final class ListenSharingIT {
    private static final Logger LOG = LoggerFactory.getLogger(ListenSharingIT.class);
    private static final int CLIENTS = 20;
    private static final int CHANNELS = 5;
    private static final int STEPS = 600;
    private static final String LISTENERS =
            " FROM pg_stat_activity WHERE application_name = 'pgproxy listener'" + " AND datname = current_database()";

    private static ProxyUnderTest.InThisJvm proxy;

    @BeforeAll
    static void start() {
        proxy = ProxyUnderTest.with("default_pool_size = 2\nthreads = 2\n");
    }

    @AfterAll
    static void stop() {
        proxy.proxy().close();
    }

    /** What a client has heard: the sender is its own or not. */
    private record Heard(boolean own, String channel, String payload) {
        static Heard of(Message message, RawClient by) {
            ByteBuffer in = ByteBuffer.wrap(message.body());
            String[] texts = new String(message.body(), 4, message.body().length - 4, UTF_8).split("\0", -1);
            return new Heard(in.getInt() == by.keyData().processId(), texts[0], texts[1]);
        }
    }

    /** A client and what it should have heard. */
    private static final class Listener implements AutoCloseable {
        final RawClient client;
        final List<Heard> heard = new ArrayList<>();
        final List<Heard> expected = new ArrayList<>();
        Set<String> channels = new TreeSet<>();

        Listener(Endpoint endpoint) {
            client = endpoint.login();
        }

        /** What came with the answer; the types of the rest. */
        String run(String sql) {
            return take(client.query(sql).readUntilReady());
        }

        String take(List<Message> messages) {
            StringBuilder types = new StringBuilder();
            for (Message message : messages) {
                if (message.type() == 'A') {
                    heard.add(Heard.of(message, client));
                } else {
                    types.append(message.type());
                }
            }
            return types.toString();
        }

        void assertHeard(String description) {
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
            while (heard.size() < expected.size() && System.nanoTime() < deadline) {
                take(client.readAvailable(20));
            }
            take(client.readAvailable(20));
            assertThat(heard).as(description).isEqualTo(expected);
        }

        @Override
        public void close() {
            client.terminate().readUntilClosed();
            client.close();
        }
    }

    @Test
    void randomListenersHearExactlyWhatTheyShould() {
        long seed = Long.getLong("listen.seed", System.nanoTime());
        LOG.info("-Dlisten.seed={}", seed);
        Random random = new Random(seed);
        List<Listener> all = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            all.add(new Listener(proxy.proxied()));
        }
        for (int step = 0; step < STEPS; step++) {
            Listener one = all.get(random.nextInt(CLIENTS));
            String channel = "share_" + random.nextInt(CHANNELS);
            switch (random.nextInt(8)) {
                case 0, 1 -> {
                    assertThat(one.run("LISTEN " + channel)).isEqualTo("CZ");
                    one.channels.add(channel);
                }
                case 2 -> {
                    one.run("UNLISTEN " + channel);
                    one.channels.remove(channel);
                }
                case 3 -> {
                    one.run(random.nextBoolean() ? "UNLISTEN *" : "DISCARD ALL");
                    one.channels.clear();
                }
                case 4 -> transaction(one, all, channel, random.nextBoolean(), step);
                default -> notify(one, all, channel, "step " + step, random.nextBoolean());
            }
        }
        for (Listener each : all) {
            each.assertHeard("-Dlisten.seed=" + seed + " client " + all.indexOf(each));
            each.close();
        }
    }

    private static void notify(Listener from, List<Listener> all, String channel, String payload, boolean function) {
        from.run(
                function
                        ? "SELECT pg_notify('" + channel + "', '" + payload + "')"
                        : "NOTIFY " + channel + ", '" + payload + "'");
        told(from, all, channel, payload);
        if (from.channels.contains(channel)) {
            assertThat(from.heard).as("its own comes before ReadyForQuery").endsWith(from.expected.getLast());
        }
    }

    private static void told(Listener from, List<Listener> all, String channel, String payload) {
        for (Listener each : all) {
            if (each.channels.contains(channel)) {
                each.expected.add(new Heard(each == from, channel, payload));
            }
        }
    }

    /** A transaction that listens and notifies; meanwhile another notifies, which it hears behind its end or never. */
    private static void transaction(Listener one, List<Listener> all, String channel, boolean commits, int step) {
        Listener other = all.get((all.indexOf(one) + 1) % all.size());
        one.run("BEGIN");
        one.run("LISTEN " + channel);
        int heard = one.heard.size();
        one.run("NOTIFY " + channel + ", 'inside " + step + "'");
        notify(other, all, channel, "meanwhile " + step, false);
        one.run("SELECT 1");
        assertThat(one.heard).as("nothing inside a transaction").hasSize(heard);
        if (commits) {
            one.run("COMMIT");
            one.channels.add(channel);
            told(one, all, channel, "inside " + step);
            assertThat(one.heard).endsWith(one.expected.getLast());
        } else {
            one.run("ROLLBACK");
        }
    }

    @Test
    void nothingIsLostOrDoubledAmongManyAtOnce() throws Exception {
        int notifiers = 4;
        int each = 150;
        List<Listener> all = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            Listener listener = new Listener(proxy.proxied());
            listener.channels = Set.of("many_" + i % CHANNELS, "many_" + (i + 1) % CHANNELS);
            listener.channels.forEach(channel -> listener.run("LISTEN " + channel));
            all.add(listener);
        }
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < notifiers; i++) {
                int number = i;
                running.add(threads.submit(() -> {
                    try (RawClient client = proxy.proxied().login()) {
                        for (int n = 0; n < each; n++) {
                            client.query("NOTIFY many_" + n % CHANNELS + ", '" + number + " " + n + "'")
                                    .readUntilReady();
                        }
                    }
                }));
            }
            for (Future<?> one : running) {
                one.get(60, TimeUnit.SECONDS);
            }
        }
        for (Listener listener : all) {
            while (listener.heard.size() < 2 * notifiers * each / CHANNELS) {
                List<Message> more = listener.client.readAvailable(500);
                assertThat(more).as("nothing is lost").isNotEmpty();
                listener.take(more);
            }
            Map<String, Integer> last = new HashMap<>();
            for (Heard heard : listener.heard) {
                assertThat(listener.channels).contains(heard.channel());
                String[] said = heard.payload().split(" ", -1);
                int n = Integer.parseInt(said[1]);
                assertThat(n).as("order of " + said[0]).isGreaterThan(last.getOrDefault(said[0], -1));
                last.put(said[0], n);
            }
            assertThat(listener.client.readAvailable(20)).isEmpty();
            listener.close();
        }
    }

    @Test
    void aNotificationShowsTheProcessIdOfTheSessionThatSentIt() {
        try (Listener c = new Listener(proxy.proxied());
                Listener d = new Listener(proxy.proxied())) {
            c.run("LISTEN share_pid");
            d.run("NOTIFY share_pid, 'd'");
            Message heard = c.client.readUntil('A').getLast();
            assertThat(heard.processId()).isEqualTo(d.client.keyData().processId());
        }
    }

    @Test
    void pgListeningChannelsShowsThemAndNothingIsHeardTwice() {
        try (Listener c = new Listener(proxy.proxied());
                Listener d = new Listener(proxy.proxied())) {
            c.run("LISTEN share_a");
            c.run("LISTEN \"Share B\"");
            List<Message> shown = c.client
                    .query("SELECT c FROM pg_listening_channels() AS c ORDER BY c COLLATE \"C\"")
                    .readUntilReady();
            assertThat(shown)
                    .filteredOn(message -> message.type() == 'D')
                    .extracting(message -> message.values().getFirst())
                    .containsExactly("Share B", "share_a");
            d.run("NOTIFY share_a, '1'; NOTIFY \"Share B\", '2'");
            c.expected.add(new Heard(false, "share_a", "1"));
            c.expected.add(new Heard(false, "Share B", "2"));
            c.assertHeard("on the server itself");
            assertThat(c.run("NOTIFY share_a, 'own'")).isEqualTo("CZ");
            c.expected.add(new Heard(true, "share_a", "own"));
            c.assertHeard("its own");
            c.run("UNLISTEN *");
            c.run("LISTEN share_a");
            d.run("NOTIFY share_a, '3'");
            c.expected.add(new Heard(false, "share_a", "3"));
            c.assertHeard("shared again");
        }
    }

    @Test
    void theSharedConnectionIsClosedAfterTheLastListener() {
        ProxyUnderTest.InThisJvm alone = ProxyUnderTest.with("");
        try (Listener c = new Listener(alone.proxied());
                Listener d = new Listener(alone.proxied())) {
            c.run("LISTEN share_last");
            d.run("LISTEN share_last");
            assertThat(listeners(alone)).isEqualTo("1");
            c.run("UNLISTEN share_last");
            d.run("UNLISTEN *");
            await().until(() -> listeners(alone).equals("0"));
        } finally {
            alone.proxy().close();
        }
    }

    private static String listeners(ProxyUnderTest on) {
        return String.valueOf(
                Message.row(on.direct().run("SELECT count(*)" + LISTENERS)).getFirst());
    }

    @Test
    void whenTheListenerIsLostItsClientsAreToldToResynchronise() {
        ProxyUnderTest.InThisJvm alone = ProxyUnderTest.with("threads = 2\n");
        try (RawClient c = alone.proxied().login();
                RawClient d = alone.proxied().login();
                RawClient bystander = alone.proxied().login()) {
            c.query("LISTEN share_killed").readUntilReady();
            d.query("LISTEN share_other").readUntilReady();
            alone.direct().run("SELECT pg_terminate_backend(pid)" + LISTENERS);
            assertToldToReconnect(c.readUntilClosed());
            assertToldToReconnect(d.readUntilClosed());
            assertThat(Message.types(bystander.query("SELECT 1").readUntilReady()))
                    .isEqualTo("TDCZ");
            assertThat(Message.types(bystander.query("LISTEN share_killed").readUntilReady()))
                    .isEqualTo("CZ");
            alone.direct().run("NOTIFY share_killed");
            assertThat(bystander.readUntil('A').getLast().type()).isEqualTo('A');
        } finally {
            alone.proxy().close();
        }
    }

    @Test
    void aClientThatDoesNotReadIsClosedBeforeItTakesTooMuchMemory() {
        try (RawClient slow = proxy.proxied().login();
                Listener other = new Listener(proxy.proxied())) {
            slow.query("LISTEN share_slow").readUntilReady();
            other.run("LISTEN share_alive");
            for (int i = 0; i < 10; i++) {
                proxy.direct()
                        .run(
                                "SELECT pg_notify('share_slow', repeat('x', 7900) || i) FROM generate_series(1, 500) AS i");
            }
            other.run("NOTIFY share_alive, 'still'");
            other.expected.add(new Heard(true, "share_alive", "still"));
            other.assertHeard("others are not disturbed");
            assertToldToReconnect(slow.readUntilClosed());
        }
    }

    private static void assertToldToReconnect(List<Message> messages) {
        Message error = messages.get(messages.size() - 2);
        assertThat(error.type()).as("%s", error).isEqualTo('E');
        assertThat(error.field('S')).isEqualTo("FATAL");
        assertThat(error.field('C')).isEqualTo("57P01");
        assertThat(error.field('H')).contains("LISTEN again");
    }

    @Test
    void aListenerThatCannotBeOpenedIsSaidClearly() {
        ProxyUnderTest.InThisJvm wrong = ProxyUnderTest.with("control_user = nobody_here\ncontrol_password = wrong\n");
        try (RawClient c = wrong.proxied().login()) {
            c.query("LISTEN share_never");
            List<Message> answer = c.readUntilClosed();
            Message error = answer.get(answer.size() - 2);
            assertThat(error.field('S')).isEqualTo("FATAL");
            assertThat(error.field('M')).startsWith("could not listen for notifications: ");
            assertThat(error.field('H')).contains("control_user");
        } finally {
            wrong.proxy().close();
        }
    }

    @Test
    void aSessionThatListensItselfHearsWhileItIsIdle() {
        try (Listener c = new Listener(proxy.proxied())) {
            c.run("LISTEN share_own; LISTEN share_too");
            proxy.direct().run("NOTIFY share_too, 'x'");
            c.expected.add(new Heard(false, "share_too", "x"));
            c.assertHeard("pinned and idle");
        }
    }
}
