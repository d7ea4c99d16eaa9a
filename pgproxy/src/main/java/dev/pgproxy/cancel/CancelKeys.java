package dev.pgproxy.cancel;

import java.net.InetAddress;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keys that clients cancel with: ours, not a server's, since a client's server changes. The process id carries the
 * number of this instance in its upper bits, so that another instance knows whose client it is; the secret is all
 * random. Thread-safe. Source: manual, "Canceling Requests in Progress".
 *
 * <pre>
 *   process id : 1 bit zero, 14 bits instance, 17 bits counter
 * </pre>
 */
public final class CancelKeys {
    private static final Logger LOG = LoggerFactory.getLogger(CancelKeys.class);

    /** Bits of the process id that count clients. */
    public static final int COUNTER_BITS = 17;

    private static final int SHORT_SECRET = 4;
    private static final int LONG_SECRET = 32;

    /**
     * A client's key.
     *
     * @param secret 4 bytes in protocol 3.0, 32 in 3.2
     */
    public record Key(int processId, byte[] secret) {}

    private record Entry(byte[] secret, Consumer<Runnable> cancel) {}

    /** So many wrong keys of one address are looked at, and then so many per second. */
    private static final int GUESSES = 20;

    private static final int GUESSES_PER_SECOND = 5;

    /** So many requests for other instances are passed on for one address, and then so many per second. */
    private static final int PASSED_ON = 200;

    private static final int PASSED_ON_PER_SECOND = 50;

    private static final long LOG_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final Map<Integer, Entry> entries = new ConcurrentHashMap<>();
    private final AddressBuckets guesses;
    private final AddressBuckets passedOn;
    private final LongSupplier clock;
    private final AtomicLong refused = new AtomicLong();
    private final Object logging = new Object();
    private long loggedAt;
    private long logged;
    private final AtomicInteger counter = new AtomicInteger();
    private final SecureRandom random = new SecureRandom();
    private final int instance;

    /** Keys of an instance; 0 = it is alone. */
    public CancelKeys(int instance) {
        this(instance, System::nanoTime);
    }

    CancelKeys(int instance, LongSupplier clock) {
        this.instance = instance;
        this.clock = clock;
        this.guesses = new AddressBuckets(GUESSES, GUESSES_PER_SECOND, clock);
        this.passedOn = new AddressBuckets(PASSED_ON, PASSED_ON_PER_SECOND, clock);
        this.loggedAt = clock.getAsLong() - LOG_NANOS;
    }

    /**
     * A new key; {@code cancel} is called, on any thread, when a request with it arrives, with what to run when it has
     * been carried out.
     */
    public Key issue(boolean longSecret, Consumer<Runnable> cancel) {
        byte[] secret = new byte[longSecret ? LONG_SECRET : SHORT_SECRET];
        random.nextBytes(secret);
        Entry entry = new Entry(secret, cancel);
        while (true) {
            int count = counter.incrementAndGet() & (1 << COUNTER_BITS) - 1;
            int processId = instance << COUNTER_BITS | count;
            if (count != 0 && entries.putIfAbsent(processId, entry) == null) {
                return new Key(processId, secret);
            }
        }
    }

    /** The client is gone. */
    public void revoke(Key key) {
        entries.remove(key.processId());
    }

    /**
     * What to run for a request with this key; null if there is no such key, or if its sender has guessed so often that
     * its keys are not looked at for now. The key of a client that is gone is no guess: drivers do that.
     *
     * @param from who asks; null for a unix socket
     * @param peer whether that is another instance, which bounds what it passes on itself
     */
    public @Nullable Consumer<Runnable> find(int processId, byte[] secret, @Nullable InetAddress from, boolean peer) {
        Entry entry = entries.get(processId);
        if (entry != null && (peer || guesses.has(from))) {
            if (MessageDigest.isEqual(entry.secret(), secret)) {
                return entry.cancel();
            }
            guesses.take(from);
        }
        refuse(from);
        return null;
    }

    /** Whether a request for another instance, which cannot be checked here, is passed on. */
    public boolean passesOn(@Nullable InetAddress from) {
        boolean may = passedOn.take(from);
        if (!may) {
            refuse(from);
        }
        return may;
    }

    /** Counts, and logs at most once a minute. */
    private void refuse(@Nullable InetAddress from) {
        long total = refused.incrementAndGet();
        synchronized (logging) {
            long now = clock.getAsLong();
            if (now - loggedAt >= LOG_NANOS) {
                LOG.warn(
                        "cancel requests with a wrong key: {} more, the last from {}",
                        total - logged,
                        from == null ? "a unix socket" : from.getHostAddress());
                loggedAt = now;
                logged = total;
            }
        }
    }

    /** Requests that were not carried out because of their key, since the start. */
    public long refused() {
        return refused.get();
    }

    /** The instance whose key it is. */
    public static int instanceOf(int processId) {
        return processId >>> COUNTER_BITS;
    }

    /** This instance. */
    public int instance() {
        return instance;
    }
}
