package dev.pgproxy.session;

import java.util.ArrayList;
import java.util.List;

/**
 * A value that follows the transaction: what changed it is undone by ROLLBACK and ROLLBACK TO, as PostgreSQL undoes SET
 * and LISTEN. The values are immutable, so that remembering one costs a reference. Confined to one event loop at a
 * time. Source: src/backend/utils/misc/guc.c (AtEOXact_GUC).
 */
public final class Tracked<T> {
    private record Savepoint<T>(String name, T value) {}

    private final List<Savepoint<T>> savepoints = new ArrayList<>(0);
    private T current;
    private T committed;

    /** Starts with a committed value. */
    public Tracked(T value) {
        current = value;
        committed = value;
    }

    /** The value as the session sees it now. */
    public T get() {
        return current;
    }

    /** The value to which ROLLBACK returns. */
    public T committed() {
        return committed;
    }

    /** Changes the value within the transaction. */
    public void set(T value) {
        current = value;
    }

    /** Changes the value whatever the transaction does. */
    public void reset(T value) {
        current = value;
        committed = value;
        savepoints.clear();
    }

    /** SAVEPOINT. */
    public void savepoint(String name) {
        savepoints.add(new Savepoint<>(name, current));
    }

    /** ROLLBACK TO: the savepoint stays, those behind it go. */
    public void rollbackTo(String name) {
        int at = find(name);
        if (at >= 0) {
            current = savepoints.get(at).value();
            savepoints.subList(at + 1, savepoints.size()).clear();
        }
    }

    /** RELEASE: the savepoint and those behind it go. */
    public void release(String name) {
        int at = find(name);
        if (at >= 0) {
            savepoints.subList(at, savepoints.size()).clear();
        }
    }

    /** The transaction has committed. */
    public void commit() {
        committed = current;
        if (!savepoints.isEmpty()) {
            savepoints.clear();
        }
    }

    /** The transaction was rolled back. */
    public void rollback() {
        current = committed;
        if (!savepoints.isEmpty()) {
            savepoints.clear();
        }
    }

    private int find(String name) {
        for (int i = savepoints.size() - 1; i >= 0; i--) {
            if (savepoints.get(i).name().equals(name)) {
                return i;
            }
        }
        return -1;
    }
}
