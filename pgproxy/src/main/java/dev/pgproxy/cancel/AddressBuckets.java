package dev.pgproxy.cancel;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A bucket of tokens for each address: full at first, filled again at a steady rate. Addresses of IPv6 share one for
 * each /64, which is what one host may have; all unix sockets share one. Bounded: of too many addresses those are
 * forgotten, their buckets full again, that took a token longest ago. Thread-safe.
 */
final class AddressBuckets {
    private static final int MAX = 4096;
    private static final int PREFIX_BYTES = 8;
    private static final Object LOCAL = new Object();

    /** For each address the time when its bucket will be full again. */
    private final Map<Object, Long> fullAt = new LinkedHashMap<>();

    private final long size;
    private final long interval;
    private final LongSupplier clock;

    /** Of {@code tokens} each, {@code perSecond} of which come back; {@code clock} is in nanoseconds. */
    AddressBuckets(int tokens, int perSecond, LongSupplier clock) {
        this.interval = TimeUnit.SECONDS.toNanos(1) / perSecond;
        this.size = tokens * interval;
        this.clock = clock;
    }

    private static Object key(@Nullable InetAddress address) {
        if (address == null) {
            return LOCAL;
        }
        return address instanceof Inet6Address ? ByteBuffer.wrap(address.getAddress(), 0, PREFIX_BYTES) : address;
    }

    /** Whether there is a token. */
    synchronized boolean has(@Nullable InetAddress address) {
        return after(key(address)) <= size;
    }

    /** Takes a token; false if there is none. */
    synchronized boolean take(@Nullable InetAddress address) {
        Object key = key(address);
        long missing = after(key);
        if (missing > size) {
            return false;
        }
        fullAt.remove(key); // it becomes the youngest
        fullAt.put(key, clock.getAsLong() + missing);
        if (fullAt.size() > MAX) {
            fullAt.remove(fullAt.keySet().iterator().next());
        }
        return true;
    }

    /** How much time's worth of tokens would be missing after one more. */
    private long after(Object key) {
        Long full = fullAt.get(key);
        return (full == null ? 0 : Math.max(0, full - clock.getAsLong())) + interval;
    }

    synchronized int size() {
        return fullAt.size();
    }
}
