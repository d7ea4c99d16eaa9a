package dev.pgproxy.cache.redis;

import io.lettuce.core.RedisException;
import io.lettuce.core.SetArgs;
import io.lettuce.core.api.async.RedisAsyncCommands;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tier 2 of the result cache: answers that all instances share, in Redis. A look-up that fails in whatever way is a miss
 * with a counted reason, within the time-out; a store that fails is forgotten. Values are compressed, verified and read on
 * a thread of its own. Thread-safe.
 */
public final class RedisTier implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RedisTier.class);

    private final TierSettings settings;
    private final byte[] prefix;
    private final TierConnection connection;
    private final SharedValue values;
    private final ExecutorService thread = Executors.newSingleThreadExecutor(task -> {
        Thread created = new Thread(task, "pgproxy-shared-results");
        created.setDaemon(true);
        return created;
    });

    private final AtomicInteger lookups = new AtomicInteger();
    private final AtomicInteger stores = new AtomicInteger();
    private final LongAdder hits = new LongAdder();
    private final LongAdder stored = new LongAdder();
    private final LongAdder bytesStored = new LongAdder();
    private final Map<TierMiss, LongAdder> misses = new EnumMap<>(TierMiss.class);

    /**
     * Connects at the first look-up.
     *
     * @param access where Redis is; stays the caller's
     * @param secret that all instances share, of at least 16 bytes; not kept
     */
    public RedisTier(RedisAccess access, byte[] secret, TierSettings settings) {
        this.settings = settings;
        this.prefix = (access.settings().namespace() + ":1:result:").getBytes(StandardCharsets.US_ASCII);
        this.connection = new TierConnection(access);
        this.values = new SharedValue(secret, settings.maxResult(), settings.compressOver());
        for (TierMiss miss : TierMiss.values()) {
            misses.put(miss, new LongAdder());
        }
    }

    /**
     * Looks for a result.
     *
     * @param on where the answer is given, such as an event loop; never before this returns, unless that runs it at once
     * @param answer gets the result, or null, once
     */
    public void get(long high, long low, Executor on, Consumer<@Nullable SharedResult> answer) {
        RedisAsyncCommands<byte[], byte[]> commands = connection.commands();
        if (commands == null) {
            miss(TierMiss.DOWN, on, answer);
            return;
        }
        if (lookups.incrementAndGet() > settings.maxInFlight()) {
            lookups.decrementAndGet();
            miss(TierMiss.BUSY, on, answer);
            return;
        }
        look(commands, high, low)
                .orTimeout(settings.timeout().toNanos(), TimeUnit.NANOSECONDS)
                .whenComplete((found, failure) -> {
                    lookups.decrementAndGet();
                    answered(failure);
                    if (failure != null) {
                        miss(reason(failure), on, answer);
                    } else if (found.result == null) {
                        miss(found.miss, on, answer);
                    } else {
                        hits.increment();
                        give(found.result, on, answer);
                    }
                });
    }

    /** What a look-up came to. */
    private record Found(@Nullable SharedResult result, TierMiss miss) {}

    private CompletableFuture<Found> look(RedisAsyncCommands<byte[], byte[]> commands, long high, long low) {
        try {
            return commands.get(key(high, low))
                    .toCompletableFuture()
                    .thenApplyAsync(value -> read(high, low, value), thread);
        } catch (RedisException | RejectedExecutionException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private Found read(long high, long low, byte @Nullable [] value) {
        if (value == null) {
            return new Found(null, TierMiss.ABSENT);
        }
        SharedResult result = values.read(high, low, value, System.currentTimeMillis());
        if (result == null) {
            return new Found(null, TierMiss.UNVERIFIED);
        }
        return result.leftMillis() <= 0 ? new Found(null, TierMiss.EXPIRED) : new Found(result, TierMiss.ABSENT);
    }

    /** Gives a result to all, if that is possible. */
    public void put(long high, long low, SharedResult result) {
        if (result.bytes().length > settings.maxResult() || result.leftMillis() <= 0) {
            count(result.leftMillis() <= 0 ? TierMiss.EXPIRED : TierMiss.TOO_LARGE);
            return;
        }
        RedisAsyncCommands<byte[], byte[]> commands = connection.commands();
        if (commands == null) {
            count(TierMiss.DOWN);
            return;
        }
        if (stores.incrementAndGet() > settings.maxInFlight()) {
            stores.decrementAndGet();
            count(TierMiss.BUSY);
            return;
        }
        long now = System.currentTimeMillis();
        store(commands, high, low, result, now)
                .orTimeout(2 * settings.timeout().toNanos(), TimeUnit.NANOSECONDS)
                .whenComplete((length, failure) -> {
                    stores.decrementAndGet();
                    answered(failure);
                    if (failure != null) {
                        count(reason(failure));
                    } else {
                        stored.increment();
                        bytesStored.add(length);
                    }
                });
    }

    private CompletableFuture<Integer> store(
            RedisAsyncCommands<byte[], byte[]> commands, long high, long low, SharedResult result, long now) {
        try {
            return CompletableFuture.supplyAsync(() -> values.write(high, low, result, now), thread)
                    .thenCompose(value -> commands.set(key(high, low), value, SetArgs.Builder.px(result.leftMillis()))
                            .thenApply(done -> value.length));
        } catch (RejectedExecutionException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private byte[] key(long high, long low) {
        return ByteBuffer.allocate(prefix.length + 2 * Long.BYTES)
                .put(prefix)
                .putLong(high)
                .putLong(low)
                .array();
    }

    private void answered(@Nullable Throwable failure) {
        if (failure == null) {
            connection.succeeded();
        } else {
            connection.failed();
            LOG.debug("Redis has failed", failure);
        }
    }

    private static TierMiss reason(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        return cause instanceof TimeoutException ? TierMiss.TIMEOUT : TierMiss.FAILED;
    }

    private void miss(TierMiss reason, Executor on, Consumer<@Nullable SharedResult> answer) {
        count(reason);
        give(null, on, answer);
    }

    private void count(TierMiss reason) {
        LongAdder adder = misses.get(reason);
        if (adder != null) {
            adder.increment();
        }
    }

    private static void give(@Nullable SharedResult result, Executor on, Consumer<@Nullable SharedResult> answer) {
        try {
            on.execute(() -> answer.accept(result));
        } catch (RejectedExecutionException e) {
            LOG.debug("Nobody is there for an answer any more", e);
        }
    }

    /** What it has done. */
    public TierCounters counters() {
        Map<TierMiss, Long> counted = new EnumMap<>(TierMiss.class);
        misses.forEach((reason, adder) -> counted.put(reason, adder.sum()));
        return new TierCounters(hits.sum(), stored.sum(), bytesStored.sum(), counted, connection.isOpen());
    }

    /** Asks nothing any more. Does not wait. */
    @Override
    public void close() {
        connection.close();
        thread.shutdown();
    }
}
