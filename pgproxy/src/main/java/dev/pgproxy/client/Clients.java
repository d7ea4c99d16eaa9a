package dev.pgproxy.client;

import java.net.InetAddress;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** All connections of clients, and how many there are of whom. Thread-safe. */
public final class Clients {
    private final Map<Long, ClientConnection> all = new ConcurrentHashMap<>();
    private final Map<InetAddress, Integer> perAddress = new HashMap<>();
    private final Map<String, Integer> perDatabase = new HashMap<>();
    private final Map<String, Integer> perUser = new HashMap<>();
    private final AtomicLong ids = new AtomicLong();
    private final AtomicInteger loggedIn = new AtomicInteger();

    long nextId() {
        return ids.incrementAndGet();
    }

    void add(ClientConnection client) {
        all.put(client.id(), client);
    }

    void remove(ClientConnection client) {
        all.remove(client.id());
        if (client.isCounted()) {
            client.counted(false);
            loggedIn.decrementAndGet();
            synchronized (this) {
                less(perDatabase, client.database());
                less(perUser, client.user());
            }
        }
    }

    /** Counts one more of an address, unless there are {@code max} already; 0 = no limit. Undone by {@link #left}. */
    synchronized boolean arrive(InetAddress address, int max) {
        int now = perAddress.getOrDefault(address, 0);
        if (max > 0 && now >= max) {
            return false;
        }
        perAddress.put(address, now + 1);
        return true;
    }

    /** A connection of an address is gone. */
    synchronized void left(InetAddress address) {
        less(perAddress, address);
    }

    /** Counts a client as one of its database and user; the limit that forbids it, or null. 0 = no limit. */
    @Nullable
    String count(ClientConnection client, int max, int maxDatabase, int maxUser) {
        if (loggedIn.get() >= max) {
            return "max_client_conn";
        }
        synchronized (this) {
            if (maxDatabase > 0 && perDatabase.getOrDefault(client.database(), 0) >= maxDatabase) {
                return "max_db_client_connections";
            }
            if (maxUser > 0 && perUser.getOrDefault(client.user(), 0) >= maxUser) {
                return "max_user_client_connections";
            }
            perDatabase.merge(client.database(), 1, Integer::sum);
            perUser.merge(client.user(), 1, Integer::sum);
        }
        loggedIn.incrementAndGet();
        client.counted(true);
        return null;
    }

    private static <K> void less(Map<K, Integer> counts, K key) {
        counts.computeIfPresent(key, (k, n) -> n > 1 ? Integer.valueOf(n - 1) : null);
    }

    /** Those connected at this moment. */
    public Collection<ClientConnection> all() {
        return all.values();
    }

    /** The one with this number. */
    public @Nullable ClientConnection find(long id) {
        return all.get(id);
    }

    /** How many have logged in or are counted as such. */
    public int size() {
        return loggedIn.get();
    }

    /** How many of a database. */
    public synchronized int ofDatabase(String database) {
        return perDatabase.getOrDefault(database, 0);
    }

    /** How many of a user. */
    public synchronized int ofUser(String user) {
        return perUser.getOrDefault(user, 0);
    }
}
