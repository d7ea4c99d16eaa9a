package dev.pgproxy.session;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Equal values as one object, mostly: beyond 4,096 different ones (a client that counts up a parameter) it begins anew.
 * Thread-safe.
 *
 * @param <T> immutable, with equality by value
 */
final class Shared<T> {
    private static final int MAX = 4096;

    private final Map<T, T> known = new ConcurrentHashMap<>();

    /** The one that equals {@code made}, or {@code made} itself. */
    T of(T made) {
        T same = known.get(made);
        if (same != null) {
            return same;
        }
        if (known.size() >= MAX) {
            known.clear();
        }
        known.put(made, made);
        return made;
    }
}
