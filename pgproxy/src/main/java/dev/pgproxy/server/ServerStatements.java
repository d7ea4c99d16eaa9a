package dev.pgproxy.server;

import dev.pgproxy.protocol.backend.ResultColumns;
import dev.pgproxy.session.SharedStatement;
import dev.pgproxy.session.UnnamedStatement;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What is prepared on one server: shared statements, least recently used first, and statements under a client's own
 * name (SQL PREPARE). Confined to the loop that owns the server connection.
 */
public final class ServerStatements {
    private final LinkedHashMap<SharedStatement, ResultColumns> shared = new LinkedHashMap<>(16, 0.75f, true);
    private final Map<String, Object> own = new HashMap<>(0);
    private @Nullable SharedStatement last;
    private ResultColumns lastGives = ResultColumns.UNKNOWN;
    private @Nullable UnnamedStatement unnamed;

    /** Whether it is prepared; counts as a use. */
    public boolean has(SharedStatement statement) {
        return gives(statement) != null;
    }

    /** What it gives here, {@link ResultColumns#UNKNOWN} if nobody has asked; null if it is not prepared. Counts as a use. */
    public @Nullable ResultColumns gives(SharedStatement statement) {
        if (statement == last) {
            return lastGives;
        }
        ResultColumns gives = shared.get(statement);
        if (gives != null) {
            last = statement;
            lastGives = gives;
        }
        return gives;
    }

    /** It has been prepared. */
    public void add(SharedStatement statement) {
        gives(statement, ResultColumns.UNKNOWN);
    }

    /** This is what it gives here, as long as it is prepared. */
    public void gives(SharedStatement statement, ResultColumns columns) {
        shared.put(statement, columns);
        last = statement;
        lastGives = columns;
    }

    /** It has been closed. */
    public void remove(SharedStatement statement) {
        shared.remove(statement);
        if (last == statement) {
            last = null;
        }
    }

    /** The least recently used one if there are {@code max} or more. */
    public @Nullable SharedStatement surplus(int max) {
        return shared.size() < max ? null : shared.keySet().iterator().next();
    }

    /** The shared statements that are prepared. */
    public Set<SharedStatement> shared() {
        return shared.keySet();
    }

    /** How many shared statements are prepared. */
    public int size() {
        return shared.size();
    }

    /** The shared statement that has this name here. */
    public @Nullable SharedStatement named(String name) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        for (SharedStatement statement : shared.keySet()) {
            if (java.util.Arrays.equals(statement.name(), bytes)) {
                return statement;
            }
        }
        return null;
    }

    /** What stands behind a client's own name: its PREPARE, or what it was parsed from. */
    public @Nullable Object own(String name) {
        return own.get(name);
    }

    /** All names of clients' own. */
    public Map<String, Object> own() {
        return own;
    }

    /** A statement of this name was deallocated, whichever kind it was. */
    public void forget(String name) {
        own.remove(name);
        SharedStatement same = named(name);
        if (same != null) {
            remove(same);
        }
    }

    /** Whose unnamed statement is here: compared by identity. */
    public @Nullable UnnamedStatement unnamed() {
        return unnamed;
    }

    /** The unnamed statement was replaced or dropped. */
    public void unnamed(@Nullable UnnamedStatement statement) {
        unnamed = statement;
    }

    /** Everything was deallocated. */
    public void clear() {
        shared.clear();
        own.clear();
        last = null;
    }
}
