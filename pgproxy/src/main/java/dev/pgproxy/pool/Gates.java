package dev.pgproxy.pool;

import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which databases are paused or disabled by the console, by the names that clients use: also such as nobody has used
 * yet. Thread-safe.
 */
public final class Gates {
    private final Set<String> paused = ConcurrentHashMap.newKeySet();
    private final Set<String> disabled = ConcurrentHashMap.newKeySet();
    private volatile boolean allPaused;
    private volatile boolean somePaused;
    private volatile boolean stopping;

    /** PAUSE of all. */
    void pause() {
        allPaused = true;
    }

    /** PAUSE of one. */
    void pause(String database) {
        paused.add(database);
        somePaused = true;
    }

    /** RESUME after a PAUSE of all; those paused by name stay so. */
    void resume() {
        allPaused = false;
    }

    /** RESUME of one. */
    void resume(String database) {
        paused.remove(database);
        somePaused = !paused.isEmpty();
    }

    /** The program stops: nobody gets a server any more. */
    void stop() {
        stopping = true;
    }

    boolean isStopping() {
        return stopping;
    }

    /** Whether all databases are paused. */
    public boolean isPaused() {
        return allPaused;
    }

    /** Whether servers of this database are given to nobody. */
    public boolean isPaused(String database) {
        return allPaused || stopping || somePaused && paused.contains(database);
    }

    /** DISABLE: new clients are refused. */
    public void disable(String database) {
        disabled.add(database);
    }

    /** ENABLE. */
    public void enable(String database) {
        disabled.remove(database);
    }

    /** Whether new clients of this database are refused. */
    public boolean isDisabled(String database) {
        return disabled.contains(database);
    }

    /** Databases that are paused by name or disabled, in order. */
    public Set<String> names() {
        Set<String> names = new TreeSet<>(paused);
        names.addAll(disabled);
        return names;
    }
}
