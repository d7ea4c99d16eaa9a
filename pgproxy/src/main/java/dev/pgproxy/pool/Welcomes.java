package dev.pgproxy.pool;

import dev.pgproxy.session.Reported;
import dev.pgproxy.session.Settings;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a server reports at start-up, by the settings of the start-up message: known once, a login needs no server.
 * Thread-safe, bounded.
 */
public final class Welcomes {
    private static final int MAX = 256;

    private final Map<Settings, Reported> known = new HashMap<>();

    /** What a client with these settings is told; null if no server has been asked yet. */
    public synchronized @Nullable Reported find(Settings base) {
        return known.get(base);
    }

    /** A server has been asked. */
    public synchronized void put(Settings base, Reported reported) {
        if (known.size() >= MAX) {
            known.clear();
        }
        known.put(base, reported);
    }

    synchronized void clear() {
        known.clear();
    }
}
