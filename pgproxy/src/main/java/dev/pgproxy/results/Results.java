package dev.pgproxy.results;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.pgproxy.cache.CacheCounters;
import dev.pgproxy.cache.CachedResult;
import dev.pgproxy.cache.KeyHash;
import dev.pgproxy.cache.ResultCache;
import dev.pgproxy.config.CacheRule;
import dev.pgproxy.config.CacheSettings;
import dev.pgproxy.routing.freshness.Mark;
import dev.pgproxy.routing.freshness.Monotonic;
import io.netty.util.concurrent.FastThreadLocal;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The results that all clients share, and the reads that are on their way to become some. Moments are {@link Monotonic}.
 * Thread-safe.
 */
public final class Results {
    /** In bytes: a larger result is kept only if it is asked for again: what is never asked for again is to cost little. */
    public static final int SMALL = 16 << 10;

    /** How many keys of large results are remembered. */
    private static final int REMEMBERED = 10_000;

    private final KeyHash secret;
    private final FastThreadLocal<LoopKeys> keys = new FastThreadLocal<>() {
        @Override
        protected LoopKeys initialValue() {
            return new LoopKeys(secret.another());
        }
    };
    private final ResultCache<Dependency> cache;
    private final ConcurrentHashMap<Key, Flight> flights = new ConcurrentHashMap<>();

    /** Keys whose results were larger than {@link #SMALL}. */
    private final Cache<Key, Boolean> large = Caffeine.newBuilder()
            .maximumSize(REMEMBERED)
            .executor(Runnable::run)
            .build();

    /** Forgotten only where no result bears it: clients make up as many names as they like. */
    private final Cache<String, Mark> tags =
            Caffeine.newBuilder().weakValues().executor(Runnable::run).build();

    private final HotReads hot = new HotReads();
    private volatile long flushed = Monotonic.now();
    private volatile CacheSettings settings;
    private volatile CacheRules rules = CacheRules.NONE;

    /** Nothing kept yet; keys are made with this. */
    public Results(CacheSettings settings, KeyHash secret) {
        this.settings = settings;
        hot.want(settings.warmMostAsked());
        this.secret = secret;
        long half = Runtime.getRuntime().maxMemory() / 2;
        this.cache = new ResultCache<>(Math.min(settings.size(), half), settings.maxResult(), Results::isTrue);
    }

    /** What is kept, and how long. */
    public CacheSettings settings() {
        return settings;
    }

    /** RELOAD. */
    public void reload(CacheSettings changed) {
        if (settings.isOn() && !changed.isOn()) {
            flush();
        }
        settings = changed;
        hot.want(changed.warmMostAsked());
    }

    /** Makes keys on the event loop that calls. */
    public LoopKeys keys() {
        return keys.get();
    }

    /** The result of a key if it is there and still true; else null. */
    public @Nullable CachedResult<Dependency> get(long high, long low, long now) {
        return cache.get(high, low, now);
    }

    /** The same for somebody who only looks: nothing is counted, and its place is not more secure for it. */
    public @Nullable CachedResult<Dependency> peek(Key key) {
        return cache.peek(key.high(), key.low(), Monotonic.now());
    }

    /** Whether nothing that was acknowledged since, or may be happening, can have changed it. */
    public static boolean isTrue(CachedResult<Dependency> result) {
        return result.dependency().holds(result.asOf());
    }

    /** What the configuration says of reads. */
    public CacheRules rules() {
        return rules;
    }

    /** At the start and at RELOAD. What is kept bears the tags and times of the rules before, so other rules empty it. */
    public void rules(List<CacheRule> said) {
        if (!said.equals(rules.said())) {
            rules = new CacheRules(said);
            flush();
        }
    }

    /** The read of this key that is on its way and whose result may be taken by who asks now; null if there is none. */
    public @Nullable Flight flight(long high, long low) {
        Flight flight = flights.get(new Key(high, low));
        return flight != null && flight.isGoodNow() ? flight : null;
    }

    /** A read is sent; its {@link #land} must follow. Null if another is on its way, or there is no point in waiting. */
    public @Nullable Flight depart(long high, long low, Dependency dependency, long asOf) {
        Key key = new Key(high, low);
        Flight flight = new Flight(key, dependency, asOf);
        return flights.putIfAbsent(key, flight) == null ? flight : null;
    }

    /** A read has ended, its result is stored, or will not be. */
    public void land(Flight flight) {
        flights.remove(flight.key(), flight);
        flight.end();
    }

    /** Up to how many bytes the answer to a read is worth recording. */
    public int worthRecording(long high, long low, @Nullable Flight flight) {
        int most = settings.maxResult();
        if (most <= SMALL || flight != null && flight.isAwaited()) {
            return most;
        }
        return large.getIfPresent(new Key(high, low)) == null ? SMALL : most;
    }

    /** The answer was larger than was worth recording. */
    public void tooLarge(long high, long low) {
        large.put(new Key(high, low), true);
    }

    /**
     * Keeps a result that was asked for at a moment, if it is still true.
     *
     * @param ttl nanoseconds that it is good for; it is to be renewed as long before, or served as long after, as the settings say
     */
    public void put(long high, long low, byte[] answer, Dependency dependency, long asOf, long ttl) {
        long renewAt = asOf + ttl - ttl / 100 * settings.refreshAhead();
        long expiresAt = asOf + ttl + settings.serveStale().toNanos();
        cache.put(high, low, new CachedResult<>(answer, asOf, renewAt, expiresAt, dependency));
    }

    /** Whether it is time to ask for it anew, and nobody does yet. */
    public boolean isDue(long high, long low, CachedResult<Dependency> result, long now) {
        return result.renewAt() <= now && settings.serves() && !flights.containsKey(new Key(high, low));
    }

    /** The mark of a tag; the same for everybody who names it. */
    public Mark tag(String name) {
        return Objects.requireNonNull(tags.get(name, any -> new Mark()));
    }

    /** Declares all results with a tag out of date. */
    public void invalidate(String name) {
        tag(name).raise(Monotonic.now());
    }

    /** Forgets everything. */
    public void flush() {
        long now = Monotonic.now();
        flushed = now;
        cache.invalidateAll(now);
    }

    /** When that was done the last time. */
    public long flushed() {
        return flushed;
    }

    /** What is asked most often. */
    public HotReads hot() {
        return hot;
    }

    /** What was counted. */
    public CacheCounters counters() {
        return cache.counters();
    }
}
