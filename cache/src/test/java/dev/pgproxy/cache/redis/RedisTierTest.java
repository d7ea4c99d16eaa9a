package dev.pgproxy.cache.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.lettuce.core.api.StatefulRedisConnection;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RedisTierTest {
    private static final byte[] SECRET = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
    private static final Epoch EPOCH = new Epoch(5, -6);

    /** A busy machine may take longer than the time-out of a proxy. */
    private static final TierSettings PATIENT = new TierSettings(Duration.ofSeconds(1), 256, 1 << 20, 4096);

    private static TestRedis redis;

    private RedisAccess access;
    private RedisTier tier;

    @BeforeAll
    static void start() throws IOException {
        redis = new TestRedis();
    }

    @AfterAll
    static void stop() throws IOException {
        redis.close();
    }

    @BeforeEach
    void open() {
        access = new RedisAccess(redis.settings());
        tier = new RedisTier(access, SECRET, PATIENT);
        untilConnected(tier);
    }

    @AfterEach
    void close() {
        tier.close();
        access.close();
    }

    private static void untilConnected(RedisTier tier) {
        await().until(() -> {
            get(tier, 0, 0);
            return tier.counters().connected();
        });
    }

    private static @Nullable SharedResult get(RedisTier tier, long high, long low) throws InterruptedException {
        BlockingQueue<Object> answers = new ArrayBlockingQueue<>(2);
        tier.get(high, low, Runnable::run, result -> answers.add(result == null ? "miss" : result));
        return answers.poll(5, TimeUnit.SECONDS) instanceof SharedResult result ? result : null;
    }

    private static SharedResult result(byte[] bytes) {
        return new SharedResult(bytes, EPOCH, 100, 60_000);
    }

    private void stored(RedisTier into, long high, long low, SharedResult result) {
        long before = into.counters().stores();
        into.put(high, low, result);
        await().until(() -> into.counters().stores() == before + 1);
    }

    private long misses(TierMiss reason) {
        return tier.counters().misses().getOrDefault(reason, 0L);
    }

    @Test
    void whatOneInstanceHasStoredAnotherFinds() throws Exception {
        Random random = new Random(1);
        try (RedisTier other = new RedisTier(access, SECRET, PATIENT)) {
            untilConnected(other);
            for (int length : new int[] {0, 1, 4096, 4097, 100_000, 1 << 20}) {
                byte[] alike = new byte[length];
                byte[] noise = new byte[length];
                random.nextBytes(noise);
                stored(tier, 1, length, result(alike));
                stored(tier, 2, length, result(noise));
                assertFound(other, 1, length, alike);
                assertFound(other, 2, length, noise);
            }
        }
    }

    private static void assertFound(RedisTier tier, long high, long low, byte[] bytes) {
        // a busy machine may take longer than the time-out
        await().ignoreExceptions().untilAsserted(() -> {
            SharedResult found = Objects.requireNonNull(get(tier, high, low));
            assertThat(found.bytes()).isEqualTo(bytes);
            assertThat(found.epoch()).isEqualTo(EPOCH);
            assertThat(found.ageMillis()).isBetween(100L, 60_000L);
            assertThat(found.leftMillis()).isBetween(0L, 60_000L);
        });
    }

    @Test
    void alikeBytesTakeLittleRoom() {
        long before = tier.counters().bytesStored();
        stored(tier, 3, 3, result(new byte[1 << 20]));
        assertThat(tier.counters().bytesStored() - before).isLessThan(10_000);
    }

    @Test
    void nothingIsFoundWhereNothingIs() throws Exception {
        long before = misses(TierMiss.ABSENT);
        assertThat(get(tier, 77, 77)).isNull();
        assertThat(misses(TierMiss.ABSENT) + misses(TierMiss.TIMEOUT)).isGreaterThan(before);
    }

    @Test
    void aValueThatSomebodyElseMadeOrChangedOrMovedIsAMiss() throws Exception {
        stored(tier, 8, 1, result(new byte[100]));
        try (RedisTier stranger = new RedisTier(
                        access, "another secret!!".getBytes(StandardCharsets.US_ASCII), TierSettings.DEFAULT);
                StatefulRedisConnection<byte[], byte[]> raw =
                        access.values().toCompletableFuture().join()) {
            untilConnected(stranger);
            assertUnverified(stranger, 8, 1);
            byte[] key = "pgproxy:1:result:\0\0\0\0\0\0\0\10\0\0\0\0\0\0\0\1".getBytes(StandardCharsets.US_ASCII);
            byte[] value = raw.sync().get(key);
            assertThat(value).isNotNull();
            byte[] moved = key.clone();
            moved[moved.length - 1] = 2;
            raw.sync().set(moved, value);
            assertUnverified(tier, 8, 2);
            for (int i = 0; i < value.length; i++) {
                byte[] changed = value.clone();
                changed[i] ^= 1;
                assertThat(new SharedValue(SECRET, 1 << 20, 4096).read(8, 1, changed, 0))
                        .isNull();
                assertThat(new SharedValue(SECRET, 1 << 20, 4096).read(8, 1, Arrays.copyOf(value, i), 0))
                        .isNull();
            }
            raw.sync().set(key, new byte[] {1, 2, 3});
            assertUnverified(tier, 8, 1);
        }
    }

    private static void assertUnverified(RedisTier tier, long high, long low) {
        await().until(() ->
                get(tier, high, low) == null && tier.counters().misses().getOrDefault(TierMiss.UNVERIFIED, 0L) > 0);
    }

    @Test
    void whatIsTooLargeOrExpiredIsNotSent() {
        tier.put(9, 1, result(new byte[(1 << 20) + 1]));
        tier.put(9, 2, new SharedResult(new byte[1], EPOCH, 0, 0));
        assertThat(misses(TierMiss.TOO_LARGE)).isEqualTo(1);
        assertThat(misses(TierMiss.EXPIRED)).isEqualTo(1);
    }

    @Test
    void aResultLeavesRedisWhenItExpires() throws Exception {
        stored(tier, 10, 1, new SharedResult(new byte[1], EPOCH, 0, 300));
        try (StatefulRedisConnection<byte[], byte[]> raw =
                access.values().toCompletableFuture().join()) {
            byte[] key = "pgproxy:1:result:\0\0\0\0\0\0\0\12\0\0\0\0\0\0\0\1".getBytes(StandardCharsets.US_ASCII);
            await().until(() -> raw.sync().get(key) == null);
        }
    }

    @Test
    void aRedisThatDoesNotAnswerCostsTheTimeOutAndThenNothing() throws Exception {
        redis.freeze();
        try {
            AtomicInteger answers = new AtomicInteger();
            long begun = System.nanoTime();
            for (int i = 0; i < 300; i++) {
                tier.get(11, i, Runnable::run, result -> answers.incrementAndGet());
            }
            assertThat(misses(TierMiss.BUSY)).isEqualTo(300 - PATIENT.maxInFlight());
            await().until(() -> answers.get() == 300);
            assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun)).isLessThan(5_000);
            assertThat(misses(TierMiss.TIMEOUT)).isPositive();
            tier.get(11, 1, Runnable::run, result -> answers.incrementAndGet());
            assertThat(answers).hasValue(301);
            assertThat(misses(TierMiss.DOWN)).isPositive();
        } finally {
            redis.thaw();
        }
        untilConnected(tier);
        stored(tier, 11, 1, result(new byte[5]));
    }

    @Test
    void aRedisThatRestartsIsFoundAgain() throws Exception {
        stored(tier, 12, 1, result(new byte[5]));
        redis.kill();
        await().until(() -> get(tier, 12, 1) == null && !tier.counters().connected());
        redis.start();
        untilConnected(tier);
        await().until(() -> {
            tier.put(12, 2, result(new byte[6]));
            SharedResult found = get(tier, 12, 2);
            return found != null && found.bytes().length == 6;
        });
    }

    @Test
    void anExecutorThatIsGoneIsNoError() throws Exception {
        AtomicInteger answers = new AtomicInteger();
        tier.get(
                1,
                1,
                task -> {
                    answers.incrementAndGet();
                    throw new RejectedExecutionException("closed");
                },
                result -> answers.addAndGet(100));
        await().until(() -> answers.get() == 1);
    }

    @Test
    void neitherPasswordNorAddressWithOneIsPrinted() {
        RedisSettings settings =
                new RedisSettings("rediss://bob:hush@cache:6380/1", "bob", "quiet", null, "a", Duration.ofSeconds(1));
        assertThat(settings.toString())
                .doesNotContain("hush")
                .doesNotContain("quiet")
                .contains("cache:6380");
    }
}
