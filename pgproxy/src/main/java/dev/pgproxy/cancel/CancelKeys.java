package dev.pgproxy.cancel;

import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

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

    private final Map<Integer, Entry> entries = new ConcurrentHashMap<>();
    private final AtomicInteger counter = new AtomicInteger();
    private final SecureRandom random = new SecureRandom();
    private final int instance;

    /** Keys of an instance; 0 = it is alone. */
    public CancelKeys(int instance) {
        this.instance = instance;
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

    /** What to run for a request with this key, null if there is no such key. */
    public @Nullable Consumer<Runnable> find(int processId, byte[] secret) {
        Entry entry = entries.get(processId);
        return entry != null && MessageDigest.isEqual(entry.secret(), secret) ? entry.cancel() : null;
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
