package dev.pgproxy.limit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.cache.redis.Coherence;
import dev.pgproxy.cache.redis.DelayingProxy;
import dev.pgproxy.cache.redis.Ending;
import dev.pgproxy.cache.redis.InstanceLink;
import dev.pgproxy.cache.redis.LinkListener;
import dev.pgproxy.cache.redis.LinkSettings;
import dev.pgproxy.cache.redis.PlantedFault;
import dev.pgproxy.cache.redis.RedisAccess;
import dev.pgproxy.cache.redis.RedisSettings;
import dev.pgproxy.cache.redis.TableSet;
import dev.pgproxy.cache.redis.TestRedis;
import dev.pgproxy.cache.redis.TokenBank;
import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.config.ProxyConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Several instances over a real Redis, under more load than the limit: every transaction that was let through against the
 * definition of a window, by one clock. {@code -Dlimit.seed=} repeats the random choices of a run.
 */
final class SharedLimitTest {
    private static final Logger LOG = LoggerFactory.getLogger(SharedLimitTest.class);
    private static final byte[] SECRET = "no secret, but long enough".getBytes(StandardCharsets.UTF_8);
    private static final long MILLI = 1_000_000;
    private static final int WINDOW_MILLIS = 400;
    private static final long WINDOW = WINDOW_MILLIS * MILLI;
    private static final int NODES = 3;

    /** As in Patience. */
    private static final long PATIENCE = 15 * MILLI;

    private static final int HOPS = 3;
    private static final long HOP = 16 * MILLI;

    private final long seed = Long.getLong("limit.seed", System.nanoTime());
    private final SplittableRandom random = new SplittableRandom(seed);
    private final Queue<Started> started = new ConcurrentLinkedQueue<>();
    private final List<Node> nodes = new ArrayList<>();
    private final List<Long> restarts = new ArrayList<>();
    private final Queue<String> tooLong = new ConcurrentLinkedQueue<>();
    private BiFunction<RedisAccess, InstanceLink, TokenBank> banks = TokenBank::new;
    private TestRedis redis;

    /** One that was let through between two moments. */
    private record Started(int node, long after, long before, boolean apart) {}

    /** One that wants to start. */
    private static final class Attempt {
        private final long since = System.nanoTime();
        private boolean watched;
        private volatile boolean settled;
    }

    private static final class Deaf implements LinkListener {
        @Override
        public void doubted(String database, TableSet tables) {}

        @Override
        public void settled(String database, TableSet tables, Ending ending) {}

        @Override
        public void written(String database, TableSet tables, Ending ending) {}

        @Override
        public void flushed() {}

        @Override
        public void orphaned(String database, TableSet tables, int backendPid, long backendStart, Runnable resolved) {}

        @Override
        public void lost(String instance, Runnable gone) {}
    }

    /** An instance, with one event loop, on which everything starts. */
    private final class Node {
        private final int number;
        private final SplittableRandom chance = random.split();
        private final DelayingProxy wire;
        private final RedisAccess access;
        private final InstanceLink link;
        private final TokenBank bank;
        private final RateLimits limits;
        private final ScheduledExecutorService loop = Executors.newSingleThreadScheduledExecutor();
        private long apart;

        Node(int number, ProxyConfig config) throws IOException {
            this.number = number;
            wire = new DelayingProxy(redis.port());
            access = new RedisAccess(new RedisSettings(
                    "redis://127.0.0.1:" + wire.port(), null, null, null, "limits", Duration.ofSeconds(2)));
            link = new InstanceLink(
                    access,
                    SECRET,
                    new LinkSettings(
                            Coherence.PUSH, Duration.ofSeconds(1), Duration.ofSeconds(2), Duration.ofSeconds(30)),
                    new Deaf());
            link.start();
            bank = banks.apply(access, link);
            limits = new RateLimits(config, System::nanoTime, bank);
        }

        /** Transactions arrive in bursts and with pauses, until it ends. */
        void load(int meanMicros) {
            loop.execute(() -> {
                int burst = chance.nextInt(8) == 0 ? chance.nextInt(20) : 1;
                for (int i = 0; i < burst; i++) {
                    attempt(new Attempt());
                }
                try {
                    loop.schedule(
                            () -> load(meanMicros),
                            chance.nextInt(2 * meanMicros) * (long) burst,
                            TimeUnit.MICROSECONDS);
                } catch (RejectedExecutionException e) {
                    // it has ended
                }
            });
        }

        /** As the proxy does it: who has waited for 15 ms asks for a decision. */
        void attempt(Attempt attempt) {
            long after = System.nanoTime();
            RateLimits.Start start = limits.start(
                    "a", "ann", 1, after - attempt.since > PATIENCE ? null : () -> onLoop(() -> attempt(attempt)));
            long before = System.nanoTime();
            if (start.waits()) {
                if (!attempt.watched) {
                    attempt.watched = true;
                    watch(attempt, HOPS);
                }
                return;
            }
            attempt.settled = true;
            if (start.refusal() == null) {
                long apartNow = limits.show().stream()
                        .filter(row -> row.scope().equals("user"))
                        .findFirst()
                        .orElseThrow()
                        .apart();
                started.add(new Started(number, after, before, apartNow > apart));
                apart = apartNow;
            }
        }

        /**
         * A wait is over when timers of 48 ms in all are, which run through the same two threads: however late a busy machine
         * runs these, they are behind everything that the wait has to wait for, unless that is more than it may.
         */
        private void watch(Attempt attempt, int hops) {
            if (hops > 0) {
                bank.execute(() -> onLoop(() -> watch(attempt, hops - 1)), HOP);
            } else if (!attempt.settled) {
                tooLong.add("node " + number + ": a wait has not ended");
            }
        }

        void attemptAndAwait() {
            Attempt attempt = new Attempt();
            onLoop(() -> attempt(attempt));
            await().pollInterval(Duration.ofMillis(1)).until(() -> attempt.settled);
        }

        private void onLoop(Runnable task) {
            try {
                loop.execute(task);
            } catch (RejectedExecutionException e) {
                // it has ended
            }
        }

        /** Ends as a process that is killed does, for Redis: what it has borrowed is not returned. */
        void die() throws IOException {
            loop.shutdownNow();
            wire.close();
            bank.close();
            link.close();
            access.close();
        }
    }

    @BeforeEach
    void start() throws IOException {
        redis = new TestRedis();
    }

    @AfterEach
    void stop() throws IOException {
        for (Node node : nodes) {
            node.die();
        }
        redis.close();
    }

    private static ProxyConfig config(String limit) {
        try {
            return ConfigLoader.parse("databases { \"*\" { primary = db } }\nuser_rate_limit = " + limit);
        } catch (ConfigProblems e) {
            throw new AssertionError(e);
        }
    }

    private Node node(int number, int most) throws IOException {
        return new Node(number, config(most + "/" + WINDOW_MILLIS + "ms"));
    }

    private void startNodes(int most) throws IOException {
        startNodes(most + "/" + WINDOW_MILLIS + "ms");
    }

    private void startNodes(String limit) throws IOException {
        for (int i = 0; i < NODES; i++) {
            nodes.add(new Node(i, config(limit)));
        }
        awaitAll();
    }

    private void awaitAll() {
        await().atMost(Duration.ofSeconds(60))
                .until(() -> nodes.stream().allMatch(node -> node.bank.isOpen() && node.bank.instances() >= NODES));
    }

    private static void pause(long millis) {
        LockSupport.parkNanos(millis * MILLI);
    }

    /**
     * In no window more than the limit, and the part of each instance that started some without tokens in it; around a
     * restart of Redis the part of each. For how many windows the limit is exact: where the machine is too busy for answers of
     * Redis within 15 ms, every instance starts some without tokens, and there is none.
     */
    private int check(int most) {
        List<Started> all = new ArrayList<>(started);
        all.sort(Comparator.comparingLong(Started::before));
        int part = Math.max(1, most / NODES);
        int first = 0;
        int exact = 0;
        for (int last = 0; last < all.size(); last++) {
            while (all.get(last).before() - all.get(first).after() >= WINDOW) {
                first++;
            }
            List<Started> inWindow = all.subList(first, last + 1);
            Set<Integer> apart = new HashSet<>();
            for (Started one : inWindow) {
                if (one.apart()) {
                    apart.add(one.node());
                }
            }
            long from = all.get(first).after();
            long to = all.get(last).before();
            int extra = restarts.stream().anyMatch(at -> at > from - WINDOW && at < to + WINDOW) ? NODES : apart.size();
            exact += extra == 0 ? 1 : 0;
            assertThat(inWindow.size())
                    .as("-Dlimit.seed=%d, limit %d, apart %s, at %d", seed, most, apart, last)
                    .isLessThanOrEqualTo(most + extra * part);
        }
        return exact;
    }

    /** Goes on until there was something to check. */
    private void awaitCheck(int most) {
        await().pollInterval(Duration.ofNanos(WINDOW)).until(() -> check(most) > 0);
    }

    private int admitted(long millis) {
        int before = started.size();
        pause(millis);
        return started.size() - before;
    }

    // ---- the promise

    @RepeatedTest(3)
    void noWindowHasMoreThanTheLimitWhoeverDies() throws IOException {
        int most = random.nextInt(3) == 0 ? random.nextInt(1, 12) : random.nextInt(12, 400);
        startNodes(most);
        pause(WINDOW_MILLIS + 200); // Redis remembers a window
        nodes.forEach(node -> node.load(2_000_000 / most / 5));
        for (int step = 0; step < 12; step++) {
            nodes.get(random.nextInt(NODES)).wire.delay(random.nextInt(5));
            if (random.nextInt(3) == 0) {
                int dying = random.nextInt(NODES);
                nodes.get(dying).die();
                Node next = node(NODES + step, most);
                nodes.set(dying, next);
                await().until(next.bank::isOpen);
                await().until(() -> next.bank.instances() >= NODES);
                next.load(2_000_000 / most / 5);
            }
            pause(200);
        }
        awaitCheck(most);
        await("-Dlimit.seed=" + seed + ": under load the limit is nearly reached, " + most)
                .until(() -> admitted(2000) > 2000 / WINDOW_MILLIS * most / 3);
    }

    @RepeatedTest(3)
    void whoIsCutOffAddsAtMostItsPart() throws IOException {
        int most = random.nextInt(6, 300);
        startNodes(most);
        pause(WINDOW_MILLIS + 200);
        nodes.forEach(node -> node.load(2_000_000 / most / 5));
        for (int step = 0; step < 12; step++) {
            DelayingProxy wire = nodes.get(random.nextInt(NODES)).wire;
            switch (random.nextInt(3)) {
                case 0 -> wire.cut(true);
                case 1 -> wire.hold();
                default -> wire.delay(random.nextInt(60));
            }
            pause(random.nextInt(700));
            wire.cut(false);
            wire.release();
            wire.delay(0);
            pause(random.nextInt(700));
        }
        awaitCheck(most);
        assertNobodyWaitedLong();
    }

    @RepeatedTest(2)
    void aRestartOfRedisAddsAtMostThePartsAndThenTheLimitHoldsAgain() throws IOException {
        int most = random.nextInt(6, 300);
        startNodes(most);
        pause(WINDOW_MILLIS + 200);
        nodes.forEach(node -> node.load(2_000_000 / most / 5));
        for (int step = 0; step < 2; step++) {
            pause(500);
            restarts.add(System.nanoTime());
            redis.kill();
            pause(random.nextInt(800));
            restarts.add(System.nanoTime());
            redis.start();
            await().until(() -> nodes.stream().allMatch(node -> node.bank.isOpen()));
            restarts.add(System.nanoTime());
            pause(3L * WINDOW_MILLIS);
        }
        awaitCheck(most);
        assertNobodyWaitedLong();
    }

    private void assertNobodyWaitedLong() {
        assertThat(tooLong)
                .as("-Dlimit.seed=%d: waits of more than 48 ms", seed)
                .isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void aFaultOfRedisIsFound(PlantedFault fault) throws IOException {
        int most = random.nextInt(40, 200);
        banks = fault::bank;
        startNodes(most);
        pause(WINDOW_MILLIS + 600); // Redis remembers a window
        nodes.forEach(node -> node.load(2_000_000 / most / 5));
        await().pollInterval(Duration.ofNanos(WINDOW))
                .untilAsserted(() -> assertThatThrownBy(() -> check(most))
                        .isInstanceOf(AssertionError.class)
                        .hasMessageContaining("limit " + most + ", apart"));
    }

    @Test
    void whoComesWhenAnAnswerIsLongOverdueDoesNotWaitForIt() throws IOException {
        startNodes(300);
        pause(WINDOW_MILLIS + 600);
        Node node = nodes.getFirst();
        node.attemptAndAwait();
        pause(150); // nothing is at hand any more, and everything is told
        node.onLoop(() -> node.limits.count("a", "ann", 1));
        node.wire.hold();
        pause(150); // what was counted is told, and nobody waits for the answer
        node.attemptAndAwait();
        assertNobodyWaitedLong();
        assertThat(node.limits.show())
                .allSatisfy(row -> assertThat(row.shared()).isEqualTo(RateLimits.Sharing.APART));
        node.wire.release();
    }

    // ---- what it costs

    /** {@code -Dlimit.seconds=62} for docs/performance.md. */
    @ParameterizedTest
    @CsvSource({"100/min, 0.9, 3000", "10000/min, 0.9, 200", "100/min, 5, 40000", "10000/min, 5, 1000"})
    void redisIsAskedSeldom(String limit, double load, long bound) throws IOException {
        startNodes(limit);
        double perSecond = load * Integer.parseInt(limit.replace("/min", "")) / 60;
        nodes.forEach(node -> node.load((int) (1_000_000 * NODES / perSecond)));
        long millis = 1000 * Long.getLong("limit.seconds", 2);
        admitted(millis); // the first window begins with nothing known
        long before = redis.calls("hmget");
        long transactions = admitted(millis);
        long asked = redis.calls("hmget") - before;
        LOG.info("{} under {} of it: {} transactions, Redis asked {} times", limit, load, transactions, asked);
        assertThat(1000 * asked).isLessThanOrEqualTo(bound * (transactions + 1));
    }

    // ---- what it is for

    @Test
    void aFirstTransactionAfterAPauseIsNotRefusedAndSmallLimitsAreExact() throws IOException {
        startNodes(3);
        pause(WINDOW_MILLIS + 200);
        for (int round = 0; round < 5; round++) {
            int before = started.size();
            for (int i = 0; i < 9; i++) {
                nodes.get(i % NODES).attemptAndAwait();
            }
            List<Started> admitted = started.stream().skip(before).toList();
            int apart = (int) admitted.stream().filter(Started::apart).count(); // only if Redis took more than 15 ms
            assertThat(admitted).hasSizeBetween(3, 3 + apart);
            pause(WINDOW_MILLIS + 50);
        }
        await().untilAsserted(() -> assertThat(nodes).allSatisfy(node -> {
            node.attemptAndAwait();
            assertThat(node.limits.show())
                    .allSatisfy(row -> assertThat(row.shared()).isEqualTo(RateLimits.Sharing.YES));
        }));
    }
}
