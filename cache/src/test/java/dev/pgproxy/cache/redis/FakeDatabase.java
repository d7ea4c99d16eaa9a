package dev.pgproxy.cache.redis;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Tables of one number each, which only grows; and for each the largest number that a read from now on must not fall below. */
final class FakeDatabase {
    static final String NAME = "shop on 4711";

    private final AtomicLong[] committed;
    private final AtomicLong[] known;
    private final AtomicInteger pids = new AtomicInteger(1000);
    private final Set<Integer> backends = ConcurrentHashMap.newKeySet();

    FakeDatabase(int tables) {
        committed = new AtomicLong[tables];
        known = new AtomicLong[tables];
        for (int i = 0; i < tables; i++) {
            committed[i] = new AtomicLong();
            known[i] = new AtomicLong();
        }
    }

    int tables() {
        return committed.length;
    }

    int connect() {
        int pid = pids.incrementAndGet();
        backends.add(pid);
        return pid;
    }

    void disconnect(int pid) {
        backends.remove(pid);
    }

    boolean isConnected(int pid) {
        return backends.contains(pid);
    }

    long commit(int table) {
        return committed[table].incrementAndGet();
    }

    long read(int table) {
        return committed[table].get();
    }

    /** Somebody has been told of this value. */
    void tell(int table, long value) {
        known[table].accumulateAndGet(value, Math::max);
    }

    long known(int table) {
        return known[table].get();
    }
}
